//! Breaks inval on purpose, on real servers with real processes, and checks what its clients were told.
//!
//! Clients use two namespaces and keep a [history] of what they asked for and what they were told. Meanwhile
//! a scenario breaks something: servers, managers, the network, memory, clocks. Then all is mended, and the
//! history is [checked](check) against the promises of the design, the books against what is on the servers.

pub mod history;
pub mod check;
mod scenarios;
mod run;

mod site;
mod daemon;
mod load;
mod watch;
mod stage;
mod report;

#[path = "../../inval-redis/tests/support/books.rs"]
mod books;
#[path = "../../inval-redis/tests/support/patience.rs"]
mod patience;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;

use report::Row;
use run::Form;
use scenarios::Scenario;
use site::Topology;

/// Breaks inval on purpose and checks what clients were told.
///
/// Without arguments, the short form: each scenario on one site, a few seconds each.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos", bin_name = "cargo xtask chaos")]
struct Args {
    /// The scenarios; all of them if none is named
    scenarios: Vec<String>,
    /// On this site alone: single, sentinel or cluster
    #[arg(long)]
    site: Option<Topology>,
    /// For how long each scenario breaks things; `soak` takes three minutes at the least in the long form
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// What decides about everything random; shown where something was found
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The long form: each scenario on every site it is for
    #[arg(long)]
    long: bool,
    /// How many scenarios run side by side
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write the table of docs/reliability.md anew
    #[arg(long)]
    write_docs: bool,
}

const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(30);
/// How many scenarios of the short form run side by side: they mostly wait.
const SHORT_JOBS: usize = 3;
/// What a trial may take beyond the time in which things are broken.
const BEYOND: Duration = Duration::from_secs(400);

/// Runs what the command line asks for, with this program `inval`. It is the whole of a test program without the
/// usual harness.
#[expect(clippy::print_stderr, reason = "this is the whole of a program")]
pub fn main(program: impl AsRef<Path>) -> ExitCode {
    match run(&Args::parse(), program.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args, program: &Path) -> Result<()> {
    let trials = trials(args)?;
    let time = match args.seconds {
        Some(seconds) => Duration::from_secs(seconds),
        None if args.long => LONG,
        None => SHORT,
    };
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let form = Form { time, is_short: !args.long, seed };
    let jobs = args.jobs.unwrap_or(if args.long { 1 } else { SHORT_JOBS });
    let rows = play(&trials, program, form, jobs)?;
    if args.write_docs {
        let settings = format!("Faults for {} s a scenario, seed {seed}.", time.as_secs());
        report::write(&rows, &settings, &page())?;
    }
    let violated = rows.iter().filter(|row| !row.violations.is_empty()).count();
    ensure!(violated == 0, "{violated} of {} trials broke a promise", rows.len());
    Ok(())
}

type Trial = (Scenario, Topology);

fn trials(args: &Args) -> Result<Vec<Trial>> {
    let all = scenarios::all();
    for name in &args.scenarios {
        if !all.iter().any(|scenario| scenario.name == name) {
            let names: Vec<_> = all.iter().map(|scenario| scenario.name).collect();
            bail!("there is no scenario {name}; there are: {}", names.join(", "));
        }
    }
    let is_wanted = |scenario: &Scenario| {
        args.scenarios.is_empty() || args.scenarios.iter().any(|name| name == scenario.name)
    };
    let mut trials = Vec::new();
    for (number, scenario) in all.into_iter().enumerate().filter(|(_, one)| is_wanted(one)) {
        let sites = scenario.sites.iter().copied();
        let here: Vec<Topology> = match args.site {
            Some(wanted) => sites.filter(|one| *one == wanted).collect(),
            None if args.long => sites.collect(),
            // Each on one, and all sites in turn.
            None => sites.cycle().skip(number).take(1).collect(),
        };
        trials.extend(here.into_iter().map(|site| (scenario, site)));
    }
    ensure!(!trials.is_empty(), "no scenario that was named is for this site");
    Ok(trials)
}

/// Plays all trials, some of them at once; their rows come in the order of the table.
fn play(trials: &[Trial], program: &Path, form: Form, jobs: usize) -> Result<Vec<Row>> {
    let next = Mutex::new(trials.iter().enumerate());
    let (told, rows) = channel();
    let mut done = thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, trials.len()) {
            let (told, next) = (told.clone(), &next);
            scope.spawn(move || {
                while let Some((place, (scenario, topology))) = lock(next).next() {
                    let row = within_time(program, *scenario, *topology, form);
                    if let Ok(row) = &row {
                        report::print(row);
                    }
                    drop(told.send((place, row)));
                }
            });
        }
        drop(told);
        rows.into_iter().collect::<Vec<_>>()
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, row)| row).collect()
}

/// Plays a trial and gives it up when it does not end.
fn within_time(program: &Path, scenario: Scenario, topology: Topology, form: Form) -> Result<Row> {
    let least_time = if form.is_short { Duration::ZERO } else { scenario.least_time };
    let form = Form { time: form.time.max(least_time), ..form };
    let (told, row) = channel();
    let program = program.to_owned();
    thread::spawn(move || drop(told.send(run::trial(&program, &scenario, topology, form))));
    let row = match row.recv_timeout(form.time + BEYOND) {
        Ok(row) => row,
        Err(RecvTimeoutError::Timeout) => bail!("{} on {topology} does not end", scenario.name),
        Err(RecvTimeoutError::Disconnected) => bail!("{} on {topology} broke", scenario.name),
    };
    row.with_context(|| format!("{} on {topology}, seed {}", scenario.name, form.seed))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md")
}

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<(&'static str, Topology)> {
        let args = Args::try_parse_from(line.split_whitespace()).unwrap();
        trials(&args).unwrap().into_iter().map(|(scenario, site)| (scenario.name, site)).collect()
    }

    #[test]
    fn the_short_form_plays_each_scenario_once_and_all_sites() {
        let short = names("chaos");
        assert_eq!(short.len(), scenarios::all().len());
        for site in Topology::ALL {
            assert!(short.iter().any(|(_, one)| *one == site), "{site}");
        }
    }

    #[test]
    fn what_is_played_can_be_chosen() {
        let calm = |site| ("calm", site);
        assert_eq!(names("chaos calm --site cluster"), [calm(Topology::Cluster)]);
        assert_eq!(names("chaos calm --long"), Topology::ALL.map(calm));
        let args = |line: &str| Args::try_parse_from(line.split_whitespace()).unwrap();
        let unknown = trials(&args("chaos clam")).unwrap_err().to_string();
        assert!(unknown.contains("calm, restarted-empty"), "{unknown}");
        assert!(trials(&args("chaos slots-moved --site single")).is_err());
    }
}
