//! What harm a door does, to whom, and what that means for the next bytes of a connection.

use std::time::{Duration, Instant};

/// What is done to connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Bytes pass this much later, both ways.
    Delay(Duration),
    /// Nothing passes either way and connections stay open; new ones are accepted, and hang.
    Stall,
    /// The same for the connections that there are now; new ones pass. A client that gives one up and goes on over
    /// another thus overtakes what it sent.
    Strand,
    /// Requests pass; answers are held back.
    StallAnswers,
    /// Each connection is closed as soon as its client has sent that many bytes from now on, which
    /// reach the server; with 0, as soon as it sends any.
    CutAfter(u64),
    /// The same for bytes that the server sends: requests are carried out, their answers lost.
    CutAnswersAfter(u64),
    /// Connections are closed at once with RST, new ones as soon as it is known whose they are.
    Reset,
    /// So many bytes pass in a second, each way; at least one.
    Throttle(u64),
}

/// Whose connections a fault concerns.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// All connections, also those of other servers, such as a replica's to its master.
    All,
    /// Connections whose first command but `PING` names this user: `AUTH user password` or `HELLO 3 AUTH user
    /// password`. What has said nothing yet, or speaks TLS, has no user.
    User(String),
}

impl Who {
    /// The connections of this user.
    pub fn user(name: impl Into<String>) -> Self {
        Self::User(name.into())
    }

    fn is(&self, user: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::User(name) => user == Some(name),
        }
    }
}

/// A connection, as far as faults care.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    /// `None` until it is known.
    pub(super) user: Option<&'a str>,
    /// The last fault before it.
    pub(super) since: u64,
}

/// A direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    There,
    Back,
}

/// Bytes that have arrived and are to pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) arrived: Instant,
    pub(super) length: usize,
}

/// What becomes of bytes that wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// As many as this pass now.
    Pass(usize),
    /// As many as this pass now, and the connection is closed.
    PassAndCut(usize),
    /// None pass yet: ask again after this time, or before.
    Hold(Duration),
    /// The connection is reset.
    Reset,
}

/// What has passed so far in one direction of one connection.
#[derive(Debug, Default)]
pub(super) struct Progress {
    passed: u64,
    /// When something passed last, and how much.
    last: Option<(Instant, u64)>,
    /// What had passed when a fault, by its number, was first met.
    marks: Vec<(u64, u64)>,
}

impl Progress {
    pub(super) fn advance(&mut self, bytes: usize, now: Instant) {
        self.passed += bytes as u64;
        self.last = Some((now, bytes as u64));
    }

    /// How many of `allowed` bytes, counted from when this fault was first met, are left.
    fn left(&mut self, fault: u64, allowed: u64) -> u64 {
        let known = self.marks.iter().find(|(number, _)| *number == fault);
        let mark = known.map_or(self.passed, |(_, mark)| *mark);
        if known.is_none() {
            self.marks.push((fault, mark));
        }
        mark.saturating_add(allowed).saturating_sub(self.passed)
    }

    /// How long until as much as passed last would have passed at this rate.
    fn busy(&self, bytes_per_second: u64, now: Instant) -> Duration {
        let Some((since, bytes)) = self.last else { return Duration::ZERO };
        let needed = Duration::from_secs_f64(bytes as f64 / bytes_per_second as f64);
        needed.saturating_sub(now.saturating_duration_since(since))
    }
}

/// How often bytes pass in a second that is throttled.
const SLICES: u64 = 50;

/// How long what is stalled may take to notice that it is no longer.
const LONG: Duration = Duration::from_secs(1);

/// The faults at work. Each has a number of its own, whatever was inflicted and lifted before.
#[derive(Debug, Default)]
pub(super) struct Faults {
    active: Vec<(u64, Who, Fault)>,
    last: u64,
}

impl Faults {
    pub(super) fn inflict(&mut self, who: Who, fault: Fault) {
        self.lift(&who);
        self.last += 1;
        self.active.push((self.last, who, fault));
    }

    pub(super) fn lift(&mut self, who: &Who) {
        self.active.retain(|(_, other, _)| other != who);
    }

    pub(super) fn lift_all(&mut self) {
        self.active.clear();
    }

    /// The number of the last one that was inflicted.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn tell_to_reset(&self, whose: Whose<'_>) -> bool {
        self.concerning(whose).any(|(_, fault)| fault == Fault::Reset)
    }

    pub(super) fn tell_to_hang(&self, whose: Whose<'_>) -> bool {
        self.concerning(whose).any(|(_, fault)| fault == Fault::Stall)
    }

    fn concerning<'a>(&'a self, whose: Whose<'a>) -> impl Iterator<Item = (u64, Fault)> + 'a {
        let concerned = self.active.iter().filter(move |(number, who, fault)| {
            who.is(whose.user) && (*fault != Fault::Strand || *number > whose.since)
        });
        concerned.map(|(number, _, fault)| (*number, *fault))
    }

    /// What becomes of the bytes that wait longest in one direction of a connection.
    pub(super) fn judge(
        &self,
        (whose, way): (Whose<'_>, Way),
        waiting: Waiting,
        progress: &mut Progress,
        now: Instant,
    ) -> Verdict {
        let (mut hold, mut pass, mut left) = (Duration::ZERO, waiting.length, u64::MAX);
        for (number, fault) in self.concerning(whose) {
            match (fault, way) {
                (Fault::Reset, _) => return Verdict::Reset,
                (Fault::Stall | Fault::Strand, _) | (Fault::StallAnswers, Way::Back) => hold = LONG,
                (Fault::Delay(delay), _) => {
                    hold = hold
                        .max(delay.saturating_sub(now.saturating_duration_since(waiting.arrived)));
                }
                (Fault::Throttle(rate), _) => {
                    hold = hold.max(progress.busy(rate.max(1), now));
                    pass = pass.min(bytes_of((rate / SLICES).max(1)));
                }
                (Fault::CutAfter(bytes), Way::There)
                | (Fault::CutAnswersAfter(bytes), Way::Back) => {
                    left = left.min(progress.left(number, bytes));
                }
                (Fault::StallAnswers | Fault::CutAnswersAfter(_), Way::There)
                | (Fault::CutAfter(_), Way::Back) => {}
            }
        }
        match bytes_of(left) {
            _ if hold > Duration::ZERO => Verdict::Hold(hold),
            left if left <= pass => Verdict::PassAndCut(left),
            _ => Verdict::Pass(pass),
        }
    }
}

fn bytes_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// What becomes of ten bytes that arrived five milliseconds ago, if `passed` have before.
    fn check(faults: &[(Who, Fault)], way: Way, passed: usize, expected: Verdict) {
        let now = Instant::now() + 5 * MS;
        let waiting = Waiting { arrived: now - 5 * MS, length: 10 };
        let mut active = Faults::default();
        for (who, fault) in faults {
            active.inflict(who.clone(), *fault);
        }
        let mut progress = Progress::default();
        let whose = Whose { user: Some("app"), since: 0 };
        let judge = |progress: &mut Progress| active.judge((whose, way), waiting, progress, now);
        let first = judge(&mut progress);
        progress.advance(passed, now);
        let verdict = if passed == 0 { first } else { judge(&mut progress) };
        assert_eq!(verdict, expected, "{faults:?} {way:?} after {passed}");
    }

    #[test]
    fn each_fault_acts_in_its_direction() {
        use Way::{Back, There};
        let one = |fault, way, passed, expected| check(&[(Who::All, fault)], way, passed, expected);
        check(&[], There, 0, Verdict::Pass(10));
        one(Fault::Delay(9 * MS), There, 0, Verdict::Hold(4 * MS));
        one(Fault::Delay(5 * MS), Back, 0, Verdict::Pass(10));
        one(Fault::Stall, There, 0, Verdict::Hold(LONG));
        one(Fault::StallAnswers, There, 0, Verdict::Pass(10));
        one(Fault::StallAnswers, Back, 0, Verdict::Hold(LONG));
        one(Fault::Reset, Back, 0, Verdict::Reset);
        one(Fault::CutAfter(0), There, 0, Verdict::PassAndCut(0));
        one(Fault::CutAfter(10), There, 0, Verdict::PassAndCut(10));
        one(Fault::CutAfter(11), There, 0, Verdict::Pass(10));
        one(Fault::CutAfter(11), There, 8, Verdict::PassAndCut(3));
        one(Fault::CutAfter(3), Back, 0, Verdict::Pass(10));
        one(Fault::CutAnswersAfter(3), Back, 0, Verdict::PassAndCut(3));
        one(Fault::CutAnswersAfter(3), There, 0, Verdict::Pass(10));
        one(Fault::Throttle(100), There, 0, Verdict::Pass(2));
        one(Fault::Throttle(100), Back, 2, Verdict::Hold(20 * MS));
        one(Fault::Throttle(0), Back, 1, Verdict::Hold(1000 * MS));
    }

    #[test]
    fn who_comes_later_is_not_stranded() {
        let mut faults = Faults::default();
        faults.inflict(Who::All, Fault::Strand);
        let now = Instant::now();
        let judge = |since| {
            let waiting = Waiting { arrived: now, length: 1 };
            let whose = Whose { user: None, since };
            faults.judge((whose, Way::There), waiting, &mut Progress::default(), now)
        };
        assert_eq!(judge(0), Verdict::Hold(LONG));
        assert_eq!(judge(faults.last()), Verdict::Pass(1));
    }

    #[test]
    fn faults_of_all_and_of_a_user_add_up() {
        let (all, app, other) = (Who::All, Who::user("app"), Who::user("other"));
        let slow = Fault::Delay(9 * MS);
        check(&[(other, Fault::Reset)], Way::There, 0, Verdict::Pass(10));
        check(&[(app.clone(), Fault::Reset), (all.clone(), slow)], Way::There, 0, Verdict::Reset);
        let both = [(all, slow), (app.clone(), Fault::CutAfter(2))];
        check(&both, Way::There, 0, Verdict::Hold(4 * MS));
        check(&[(app.clone(), Fault::Stall), (app, slow)], Way::There, 0, Verdict::Hold(4 * MS));
    }
}
