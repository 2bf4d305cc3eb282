//! How long one call goes on trying, and how long it pauses between tries.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::options::ConnectOptions;
use crate::error::{Error, Interruption};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Redirects to follow without a pause. More of them mean that the nodes disagree for the moment.
const PROMPT_REDIRECTS: u32 = 5;

/// How long a call may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    overall: Duration,
    /// What must be left of the time for another try, so that its reply has a chance to come.
    reserve: Duration,
}

impl Limits {
    pub(super) fn of(options: &ConnectOptions) -> Self {
        let overall = options.overall_timeout;
        Self { overall, reserve: options.response_timeout.min(overall / 4) }
    }
}

/// One call's tries.
pub(super) struct Effort {
    deadline: Instant,
    reserve: Duration,
    pauses: u32,
    redirects: u32,
    lost: Option<Interruption>,
}

impl Effort {
    pub(super) fn new(Limits { overall, reserve }: Limits) -> Self {
        let deadline = Instant::now() + overall;
        Self { deadline, reserve, pauses: 0, redirects: 0, lost: None }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Remembers that a try may have been carried out.
    pub(super) fn lost(&mut self, how: Interruption) {
        self.lost.get_or_insert(how);
    }

    /// Waits until the next try may begin. Fails with `reason` at once if there is no time for it,
    /// or with the lost reply of an earlier try, which says more.
    pub(super) async fn pause(&mut self, reason: Error) -> Result<(), Error> {
        let longest = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(8)).min(LONGEST_PAUSE);
        self.pauses += 1;
        // Anything from nothing to the longest, so that clients which failed together spread out.
        let pause = longest.mul_f64(fastrand::f64());
        if Instant::now() + pause + self.reserve >= self.deadline {
            return Err(self.last_word(reason));
        }
        sleep(pause).await;
        Ok(())
    }

    /// Like `pause`, but the first few redirects are followed at once.
    pub(super) async fn redirect(&mut self) -> Result<(), Error> {
        self.redirects += 1;
        if self.redirects <= PROMPT_REDIRECTS {
            Ok(())
        } else {
            self.pause(Error::Redirected).await
        }
    }

    pub(super) fn last_word(&self, reason: Error) -> Error {
        match self.lost {
            Some(Interruption::ConnectionLost) => Error::ConnectionLost,
            Some(Interruption::Timeout) => Error::Timeout,
            None => reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERALL: Duration = Duration::from_secs(5);

    fn effort() -> Effort {
        Effort::new(Limits::of(&ConnectOptions { overall_timeout: OVERALL, ..Default::default() }))
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_half_a_second_and_end_with_the_deadline() {
        let started = Instant::now();
        let mut effort = effort();
        let mut pauses = Vec::new();
        let error = loop {
            let before = Instant::now();
            match effort.pause(Error::Loading).await {
                Ok(()) => pauses.push(before.elapsed()),
                Err(error) => break error,
            }
        };
        assert_eq!(error, Error::Loading);
        assert!(started.elapsed() <= OVERALL - ConnectOptions::default().response_timeout);
        assert!(pauses.len() >= 7, "{pauses:?}");
        assert!(pauses[0] <= FIRST_PAUSE + Duration::from_millis(1), "{pauses:?}");
        assert!(pauses.iter().all(|&pause| pause <= LONGEST_PAUSE + Duration::from_millis(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_reply_is_what_is_reported_in_the_end() {
        let mut effort = effort();
        tokio::time::advance(OVERALL).await;
        effort.lost(Interruption::Timeout);
        effort.lost(Interruption::ConnectionLost);
        let refused = Error::Unreachable(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(effort.pause(refused).await, Err(Error::Timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_redirects_cost_no_time() {
        let started = Instant::now();
        let mut effort = effort();
        for _ in 0..PROMPT_REDIRECTS {
            effort.redirect().await.unwrap();
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
        while effort.redirect().await.is_ok() {}
        assert!(started.elapsed() > OVERALL / 2);
    }
}
