//! What happens on the way between one client or manager and the servers.

use std::time::Duration;

use anyhow::Result;
use inval_test_servers::Fault;

use crate::stage::Stage;

/// Whom it may hit.
const VICTIMS: [&str; 6] = ["client0", "client1", "client2", "client3", "manager0", "manager1"];

pub(super) fn cut(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        let user = stage.any(&VICTIMS);
        let after = stage.rng.u64(0..600);
        let fault =
            stage.any(&[Fault::CutAfter(after), Fault::CutAnswersAfter(after), Fault::Reset]);
        stage.site.inflict(user, fault);
        stage.count();
        stage.go_on(10, 150);
        stage.site.lift(user);
        stage.go_on(10, 100);
    }
    Ok(())
}

pub(super) fn partitioned(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        let user = stage.any(&VICTIMS);
        let delay = Duration::from_millis(stage.rng.u64(1..500));
        let fault = stage.any(&[
            Fault::Stall,
            Fault::Strand,
            Fault::Strand,
            Fault::StallAnswers,
            Fault::Delay(delay),
            Fault::Throttle(4_000),
            Fault::Reset,
        ]);
        stage.site.inflict(user, fault);
        stage.count();
        stage.go_on(200, 2500);
        stage.site.lift(user);
        stage.go_on(10, 300);
    }
    Ok(())
}
