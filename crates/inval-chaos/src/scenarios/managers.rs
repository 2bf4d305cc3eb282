//! Managers that are killed, stopped and woken, or not there at all.

use std::time::Duration;

use anyhow::Result;

use crate::daemon::LEASE;
use crate::load::TIGHT;
use crate::stage::Stage;

pub(super) fn killed(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        let one = stage.rng.usize(0..stage.daemons.len());
        // In the midst of a change now and then; it may also be dead already.
        if stage.rng.u8(0..4) == 0 {
            let entries = stage.any(&[1700, 1800]);
            let path = format!("/v1/namespaces/{TIGHT}");
            let body = format!("{{\"max_entries\": {entries}}}");
            let _may_be_dead = stage.daemons[one].request("PATCH", &path, Some(&body));
        }
        stage.daemons[one].kill()?;
        stage.count();
        stage.go_on(0, 400);
        // It may be killed again while it starts, or while it rebuilds the books.
        stage.daemons[one].revive(&stage.recipe)?;
        stage.go_on(0, 700);
    }
    Ok(())
}

pub(super) fn stopped(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        let one = stage.rng.usize(0..stage.daemons.len());
        stage.daemons[one].pause()?;
        stage.count();
        let lease = LEASE.as_millis() as u64;
        stage.go_on(lease / 2, lease * 2);
        stage.daemons[one].resume()?;
        stage.go_on(50, 500);
    }
    Ok(())
}

pub(super) fn absent(stage: &mut Stage) -> Result<()> {
    for daemon in &stage.daemons {
        daemon.kill()?;
    }
    stage.count();
    while stage.is_on() {
        stage.go_on(100, 100);
    }
    let lease = LEASE + Duration::from_millis(100);
    std::thread::sleep(lease);
    Ok(())
}
