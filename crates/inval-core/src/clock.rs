//! Clock synchronisation: what a server's clock shows, estimated from the replies of that server.
//!
//! A reply was stamped between the request's departure and its own arrival, so each sample says for
//! certain between which two times the server's clock is. What is known is the intersection of these
//! spans, aged by the most that clocks drift apart (Marzullo and Owicki, 1983). A long round trip adds
//! little to it, just as NTP's clock filter passes over it (RFC 5905, section 10).

use std::time::Duration;

use crate::units::Timestamp;

/// Samples in a row that contradict what is known, and agree among themselves, before they are believed.
const STEP_SAMPLES: u32 = 4;
/// How fast an error is worn off, and the most that a clock drifts, in parts per billion.
const MAX_DRIFT: i128 = 500_000;
const BILLION: i128 = 1_000_000_000;
/// Drift is measured over one to two such windows.
const DRIFT_WINDOW: i128 = 600_000_000;
/// Local times are told to the millisecond, rounded down.
const LOCAL_TICK: i128 = 1000;

/// A reply that told the server's time. Local times are those of a clock that neither jumps nor runs
/// back, rounded down to the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeSample {
    /// When the request left, by the local clock.
    pub sent: Timestamp,
    /// When the reply came, by the local clock.
    pub received: Timestamp,
    /// What the server's clock showed in between, in microseconds.
    pub server_us: u64,
}

/// What a sample was taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeVerdict {
    /// It agrees with what was known, or is the first.
    Agrees,
    /// It contradicts what is known, and too few others did so with it: it changes nothing.
    Doubted,
    /// It is the last of four in a row that say the server's clock was set.
    Stepped {
        /// By how many microseconds.
        by_us: i64,
    },
    /// Its reply came before its request left: it changes nothing.
    Impossible,
}

/// What is known of the server's time at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeReading {
    /// The time to go by; see [`ServerClock`] for how it follows the server's.
    pub now: Timestamp,
    /// The server's clock shows at least this. Runs back if the server's clock was set back.
    pub earliest: Timestamp,
    /// The server's clock shows at most this.
    pub latest: Timestamp,
}

impl TimeReading {
    /// The furthest that `now` may be from what the server's clock shows.
    pub fn error(&self) -> Duration {
        let now = self.now.as_millis();
        let behind = self.latest.as_millis().saturating_sub(now);
        Duration::from_millis(behind.max(now.saturating_sub(self.earliest.as_millis())))
    }
}

/// An estimate of a server's clock for telling when to look at something on the server: looking too
/// early costs a question, looking too late leaves what has expired on the books.
///
/// - Its time never runs back, whatever the samples say, as long as the local times passed in do not.
/// - It goes towards the middle of what is known by 500 parts per million of the time that passes,
///   and at once if it is certainly behind.
/// - A step forward is taken in full, so whatever the step made due is due here too.
/// - A step back is not taken but worn off at the same 500 parts per million. Standing still instead
///   would delay every deadline by as much as the server's clock had been wrong, and going back
///   would delay those that were set meanwhile; this delays none by more than a thousandth of its term.
///
/// `earliest` and `latest` of a [`TimeReading`] follow the server both ways. They hold if the clocks
/// drift apart by at most 500 parts per million and the server's clock was not set without being noticed:
/// compare these, not `now`, with stamps that the server made.
#[derive(Clone, Debug, Default)]
pub struct ServerClock(Option<Known>);

#[derive(Clone, Debug)]
struct Known {
    span: Span,
    /// What the clock showed at `span.at`.
    shown: i128,
    /// Parts per billion by which the server's clock is faster.
    drift: i128,
    /// Where the measurement of the drift starts, and where the next one will.
    bases: [Span; 2],
    /// What the latest samples say if they are right and the others are not, and how many they are.
    doubt: Option<(Span, u32)>,
}

/// At the local time `at` the server's clock shows `low` to `high`. All in microseconds: 128 bits hold
/// the product of any two numbers that occur.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    at: i128,
    low: i128,
    high: i128,
}

impl ServerClock {
    /// A clock that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from a reply at the local time `local`.
    pub fn observe(&mut self, sample: TimeSample, local: Timestamp) -> TimeVerdict {
        let Some(span) = Span::of(sample) else {
            return TimeVerdict::Impossible;
        };
        let at = span.at.max(micros(local));
        match &mut self.0 {
            Some(known) => known.observe(span, at),
            None => {
                self.0 = Some(Known::new(span.aged(at)));
                TimeVerdict::Agrees
            }
        }
    }

    /// The server's time at the local time `local`, or `None` before the first sample.
    pub fn now(&self, local: Timestamp) -> Option<Timestamp> {
        self.read(local).map(|reading| reading.now)
    }

    /// What is known of the server's time at the local time `local`, or `None` before the first sample.
    /// A time before the last sample counts as that of the sample.
    pub fn read(&self, local: Timestamp) -> Option<TimeReading> {
        let known = self.0.as_ref()?;
        let local = micros(local).max(known.span.at);
        let Span { low, high, .. } = known.span.aged(local);
        let [now, earliest] = [known.shown_at(local), low].map(millis);
        Some(TimeReading { now, earliest, latest: millis(high + LOCAL_TICK + 999) })
    }

    /// The first local time, not before the last sample, at which [`now`](Self::now) is `server` or later.
    pub fn local(&self, server: Timestamp) -> Option<Timestamp> {
        self.0.as_ref().map(|known| known.reaches(micros(server)))
    }

    /// By how many microseconds the server's clock was ahead of the local one at the last sample that was
    /// believed: the middle of what is possible.
    pub fn offset_us(&self) -> Option<i64> {
        self.0.as_ref().map(|known| saturated(known.span.middle() - known.span.at))
    }

    /// By how many parts per million the server's clock is faster than the local one, -500 to 500.
    pub fn drift_ppm(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |known| known.drift as f64 / 1000.0)
    }
}

impl Known {
    fn new(span: Span) -> Self {
        Self { span, shown: span.middle(), drift: 0, bases: [span; 2], doubt: None }
    }

    fn observe(&mut self, sample: Span, at: i128) -> TimeVerdict {
        let at = at.max(self.span.at);
        let sample = sample.aged(at);
        if let Some(agreed) = self.span.aged(at).intersection(sample) {
            self.doubt = None;
            self.follow(agreed, 0);
            self.measure_drift();
            return TimeVerdict::Agrees;
        }
        let (doubt, samples) = self
            .doubt
            .and_then(|(doubt, samples)| Some((doubt.aged(at).intersection(sample)?, samples + 1)))
            .unwrap_or((sample, 1));
        self.doubt = Some((doubt, samples));
        if samples < STEP_SAMPLES { TimeVerdict::Doubted } else { self.step_to(doubt) }
    }

    /// Takes `span` for what the server's clock shows since it was set.
    fn step_to(&mut self, span: Span) -> TimeVerdict {
        let step = span.middle() - self.middle_at(span.at);
        self.bases = [span; 2];
        self.doubt = None;
        self.follow(span, step.max(0));
        TimeVerdict::Stepped { by_us: saturated(step) }
    }

    /// Goes on from `span`, first `forward`, and at once if the clock is certainly behind.
    fn follow(&mut self, span: Span, forward: i128) {
        let shown = self.shown_at(span.at) + forward;
        self.shown = if shown < span.low { span.middle() } else { shown };
        self.span = span;
    }

    fn middle_at(&self, at: i128) -> i128 {
        let age = at - self.span.at;
        self.span.middle() + age + share(age, self.drift)
    }

    fn shown_at(&self, at: i128) -> i128 {
        let age = at - self.span.at;
        let most = share(age, MAX_DRIFT);
        let slew = (self.span.middle() - self.shown).clamp(-most, most);
        self.shown + age + share(age, self.drift) + slew
    }

    /// The first whole millisecond of the local clock at which `server` is shown, or the end of time.
    fn reaches(&self, server: i128) -> Timestamp {
        let gap = (server - self.shown).max(0);
        // It runs slower than the local clock by less than a five-hundredth.
        let (mut early, mut late) =
            (self.span.at / 1000, (self.span.at + gap + gap / 500) / 1000 + 1);
        while early < late {
            let between = early + (late - early) / 2;
            if self.shown_at(between * 1000) < server {
                early = between + 1;
            } else {
                late = between;
            }
        }
        millis(early * 1000)
    }

    /// The middle of the drifts that are possible. It starts at 0 and needs no least duration: over
    /// a short one nearly any drift is possible.
    fn measure_drift(&mut self) {
        let [base, next] = self.bases;
        let Span { at, low, high } = self.span;
        let elapsed = at - base.at;
        if elapsed > 0 {
            let possible =
                |gone: i128| ((gone - elapsed) * BILLION / elapsed).clamp(-MAX_DRIFT, MAX_DRIFT);
            self.drift = (possible(low - base.high) + possible(high - base.low)) / 2;
        }
        if at - next.at >= DRIFT_WINDOW {
            self.bases = [next, self.span];
        }
    }
}

impl Span {
    /// What the server's clock showed when the reply came, or `None` if that was before it was asked.
    fn of(sample: TimeSample) -> Option<Self> {
        let [sent, received] = [sample.sent, sample.received].map(micros);
        let (round_trip, server) = (received - sent, i128::from(sample.server_us));
        let high = server + round_trip + drifted(round_trip) + LOCAL_TICK;
        (sent <= received).then_some(Self { at: received, low: server - LOCAL_TICK, high })
    }

    /// What can still be said at the local time `at`, which is not before that of the span.
    fn aged(self, at: i128) -> Self {
        let age = at - self.at;
        let (low, high) = (self.low + age - drifted(age), self.high + age + drifted(age));
        Self { at, low, high }
    }

    /// What holds if both hold, for spans of the same moment.
    fn intersection(self, other: Self) -> Option<Self> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(Self { at: self.at, low, high })
    }

    fn middle(self) -> i128 {
        self.low + (self.high - self.low) / 2
    }
}

fn share(of: i128, per_billion: i128) -> i128 {
    of * per_billion / BILLION
}

/// The most that two clocks drift apart in `elapsed`, rounded up.
fn drifted(elapsed: i128) -> i128 {
    share(elapsed, MAX_DRIFT) + 1
}

fn micros(at: Timestamp) -> i128 {
    i128::from(at.as_millis()) * 1000
}

fn millis(micros: i128) -> Timestamp {
    Timestamp::from_millis((micros / 1000).clamp(0, u64::MAX.into()) as u64)
}

fn saturated(micros: i128) -> i64 {
    micros.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
