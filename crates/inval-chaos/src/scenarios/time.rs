//! Servers that stand still, and clocks that jump.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::site::Topology;
use crate::stage::Stage;

const HOUR_MS: i64 = 3_600_000;
/// How far clocks jump at once.
const JUMPS_MS: [i64; 6] = [50, 1_000, 5_000, 60_000, HOUR_MS, 24 * HOUR_MS];

pub(super) fn blocked(stage: &mut Stage) -> Result<()> {
    let site = Arc::clone(&stage.site);
    // Not so long that a replica takes over, which is another scenario.
    let longest = if site.topology == Topology::Single { 2500 } else { 700 };
    while stage.is_on() {
        stage.go_on(200, 800);
        let masters = site.masters();
        let server = masters[stage.rng.usize(0..masters.len())];
        let seconds = stage.rng.u64(100..longest) as f64 / 1000.0;
        stage.count();
        server.command(&["DEBUG", "SLEEP", &format!("{seconds:.3}")])?;
    }
    Ok(())
}

pub(super) fn clocks_jump(stage: &mut Stage) -> Result<()> {
    let site = Arc::clone(&stage.site);
    while stage.is_on() {
        let jump = stage.any(&JUMPS_MS) * stage.any(&[-1, 1]);
        let servers = site.nodes();
        match stage.rng.usize(0..servers.len() + stage.daemons.len()) {
            place if place < servers.len() => servers[place].shift_clock(jump)?,
            place => stage.daemons[place - servers.len()].shift_clock(jump)?,
        }
        stage.count();
        stage.go_on(100, 700);
    }
    // Whatever expires now does so by a clock that was set back once or twice.
    stage.done.set_back = Duration::from_secs(3 * 24 * 3600);
    site.nodes().iter().try_for_each(|server| server.shift_clock(0))?;
    stage.daemons.iter().try_for_each(|daemon| daemon.shift_clock(0))
}
