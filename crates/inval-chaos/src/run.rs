//! One trial: a scenario on a site, from the first server to the verdict.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use inval_core::{Namespace, Store};
use inval_redis::Cache;
use inval_test_servers::Clock;
use tokio::runtime::{Handle, Runtime};

use crate::books;
use crate::check::{Keeps, Terms, check};
use crate::daemon::{Daemon, Recipe, Times};
use crate::history::Event;
use crate::load::{self, CROWD, HOT_KEYS, Histories, Load, ROOMY, TIGHT};
use crate::report::Row;
use crate::scenarios::Scenario;
use crate::site::{Site, Topology};
use crate::stage::{Deeds, Stage};
use crate::watch::Watch;

/// How long managers may take to be ready at the start.
const STARTING: Duration = Duration::from_secs(300);
/// How long it may take after the last fault until all is well, besides two leases.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the load goes on when all clients are served again.
const LINGER: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(20);
/// How long after it was given up a call may still be carried out: longer than anything is held back.
const LATENESS: Duration = Duration::from_secs(10);

/// How a trial is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// How long faults are injected.
    pub(crate) time: Duration,
    /// Whether few things are to be done instead of many.
    pub(crate) is_short: bool,
    pub(crate) seed: u64,
}

/// Plays a scenario. An error means that it could not be played.
pub(crate) fn trial(
    program: &Path,
    scenario: &Scenario,
    topology: Topology,
    form: Form,
) -> Result<Row> {
    let runtime = Runtime::new()?;
    let site = Arc::new(Site::start(topology, scenario.needs).context("no servers")?);
    let mut duties = scenario.duties;
    if form.is_short {
        duties.namespaces = duties.namespaces.min(crate::scenarios::SHORT_NAMESPACES);
        duties.times = Times::HASTY;
    }
    let recipe = Recipe::new(program, &site, duties, scenario.disk_is_full);
    let daemons = start_daemons(&recipe, scenario)?;
    let namespaces: [Namespace; 3] = [ROOMY.parse()?, TIGHT.parse()?, CROWD.parse()?];
    let load = runtime.block_on(Load::begin(&site, scenario.pace, form.seed))?;
    let handle = runtime.handle().clone();
    let watch = Watch::begin(Arc::clone(&site), namespaces.to_vec());

    let mut stage = Stage {
        site: Arc::clone(&site),
        daemons,
        recipe,
        rng: fastrand::Rng::with_seed(form.seed),
        handle,
        shared: Arc::clone(&load.shared),
        end: load.shared.chronicle.now() + form.time,
        is_short: form.is_short,
        done: Deeds::default(),
    };
    (scenario.run)(&mut stage)?;
    let patience = PATIENCE + 2 * duties.times.lease;
    let end = finish(&runtime, &mut stage, load, &namespaces, patience)?;
    let sightings = watch.end();

    let mut row = Row {
        scenario: scenario.name,
        does: scenario.does,
        topology,
        seed: form.seed,
        calls: end.calls + stage.done.calls,
        failed: end.failed,
        faults: stage.done.faults + site.inflicted(),
        excused: 0,
        recovery: end.recovery,
        overshoot: sightings.overshoot,
        violations: sightings.violations(duties.journal_cap),
        remarks: std::mem::take(&mut stage.done.remarks),
    };
    row.violations.append(&mut stage.done.violations);
    row.violations.extend(stage.daemons.iter().flat_map(Daemon::complaints));
    judge(scenario, stage.done, end.histories, &mut row);
    Ok(row)
}

fn start_daemons(recipe: &Recipe, scenario: &Scenario) -> Result<Vec<Daemon>> {
    let mut daemons = Vec::new();
    for number in 0..2 {
        let clock = scenario.needs.has_clocks.then(Clock::new).transpose()?;
        let daemon = Daemon::start(number, recipe, clock)?;
        daemon.wait_until_ready(STARTING)?;
        daemons.push(daemon);
    }
    Ok(daemons)
}

/// How it went on after the last fault.
struct Ending {
    histories: Histories,
    calls: u64,
    failed: u64,
    /// Until every client was served, and from the end of the load until the books were exact.
    recovery: Duration,
}

/// Mends everything, waits until all is well again, and ends the load. What does not become well breaks a promise.
fn finish(
    runtime: &Runtime,
    stage: &mut Stage,
    load: Load,
    namespaces: &[Namespace],
    patience: Duration,
) -> Result<Ending> {
    stage.heal()?;
    let healed = stage.now();
    let is_served = |_: &Stage| load.is_served_since(healed);
    if let Err(error) = stage.until("every client is served", patience, is_served) {
        stage.done.violations.push(format!("{error:#}"));
    }
    let served = stage.now() - healed;
    std::thread::sleep(LINGER);

    let (calls, failed) = load.calls();
    let shared = Arc::clone(&load.shared);
    let mut histories = runtime.block_on(load.end())?;
    let ended = Instant::now();
    if let Err(error) = exact(&stage.handle, &stage.site, namespaces, patience) {
        stage.done.violations.push(format!("the books did not become exact: {error:#}"));
    }
    let recovery = served + ended.elapsed();
    match runtime.block_on(load::read_all(&stage.site, &shared)) {
        Ok(events) => histories.roomy.extend(events),
        Err(error) => stage.done.violations.push(format!("at the end: {error:#}")),
    }
    Ok(Ending { histories, calls, failed, recovery })
}

/// Waits until the books of all say what is there, within the limits.
fn exact(handle: &Handle, site: &Site, namespaces: &[Namespace], patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let complaint = match handle.block_on(compare_all(site, namespaces)) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if Instant::now() > deadline {
            return Err(complaint);
        }
        std::thread::sleep(POLL);
    }
}

async fn compare_all(site: &Site, namespaces: &[Namespace]) -> Result<()> {
    for namespace in namespaces {
        let cache: Cache = load::attach(site, "checker", namespace.as_str()).await?;
        let client = site.client("checker").await?;
        for partition in 0..Store::partitions(&cache) {
            let names = inval_core::keyspace::Keyspace::new(namespace, partition);
            books::compare(&client, &cache, partition, &names)
                .await
                .map_err(|complaint| anyhow::anyhow!("{namespace}: {complaint}"))?;
        }
    }
    Ok(())
}

/// Has the histories compared with what was promised.
fn judge(scenario: &Scenario, done: Deeds, mut histories: Histories, row: &mut Row) {
    histories.roomy.extend(done.events);
    // Of an entry that is read once in a while the idle clock, which ticks in seconds, may not have told.
    let (hot, cold) = histories.tight.into_iter().partition(|event| event.key < HOT_KEYS);
    let parts: [(&str, Vec<Event>, _); 3] = [
        (ROOMY, histories.roomy, scenario.roomy_keeps()),
        (TIGHT, hot, scenario.tight_keeps()),
        (TIGHT, cold, Keeps::Nothing),
    ];
    for (namespace, events, keeps) in parts {
        let terms = Terms {
            disturbances: done.disturbances.clone(),
            clock_set_back: done.set_back,
            lateness: LATENESS,
            ..Terms::new(keeps)
        };
        let verdict = check(&events, &terms);
        row.excused += verdict.excused;
        let told = verdict.violations.iter().map(|violation| format!("{namespace}: {violation}"));
        row.violations.extend(told);
    }
}
