//! Readings one after the other, and a screen that shows them: in place on a terminal, in blocks elsewhere.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, StdoutLock, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::statistics::{Rates, Statistics};
use super::stats::rates_table;
use crate::args::Form;

/// Ages are told in whole milliseconds, and a request takes some: what seems closer together than this is
/// the same told twice.
const SAME: Duration = Duration::from_millis(10);

/// What is known of each namespace.
pub(crate) type Reading = BTreeMap<String, Point>;

/// The statistics of a namespace, when they were true, and the rates that led there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Point {
    pub(crate) statistics: Statistics,
    /// The same for as long as the same is told.
    pub(crate) at: Instant,
    pub(crate) rates: Option<Rates>,
}

impl Point {
    /// What follows `before` when `statistics` are told at `now`.
    fn next(before: Option<&Self>, statistics: Statistics, now: Instant) -> Self {
        let age = Duration::from_millis(statistics.age_ms);
        let at = now.checked_sub(age).unwrap_or(now);
        let Some(before) = before else { return Self { statistics, at, rates: None } };
        let elapsed = at.saturating_duration_since(before.at);
        // Where a request took long, the same seems younger than it is; but then nothing was counted, and it has aged.
        let has_aged = statistics.age_ms > before.statistics.age_ms;
        let is_older = has_aged && statistics.counts_as(&before.statistics);
        if elapsed < SAME || is_older {
            return Self { statistics, ..*before };
        }
        let rates = Rates::between(&before.statistics, &statistics, elapsed);
        Self { statistics, at, rates }
    }
}

/// Reads and shows, again after each interval, until an error or for `count` times.
pub(super) fn watch(
    read: impl Fn() -> anyhow::Result<BTreeMap<String, Statistics>>,
    mut screen: Screen<impl Write>,
    interval: Duration,
    count: Option<u64>,
) -> anyhow::Result<()> {
    let mut reading = Reading::new();
    let mut ticks = Ticks::every(interval);
    for round in 1.. {
        ticks.wait();
        let statistics = read()?;
        reading = follow(&reading, statistics, Instant::now());
        screen.show(&reading)?;
        if count.is_some_and(|count| round >= count) {
            break;
        }
    }
    Ok(())
}

/// The moments at which to read: now, and then an interval after the other. One that was missed is made up for
/// at once, but only one.
pub(crate) struct Ticks {
    next: Instant,
    interval: Duration,
}

impl Ticks {
    pub(crate) fn every(interval: Duration) -> Self {
        Self { next: Instant::now(), interval }
    }

    pub(crate) fn wait(&mut self) {
        let now = Instant::now();
        sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + self.interval;
    }
}

/// What is known when `statistics` are told at `now`, after `before`.
pub(crate) fn follow(
    before: &Reading,
    statistics: BTreeMap<String, Statistics>,
    now: Instant,
) -> Reading {
    let point = |(name, statistics)| {
        let point = Point::next(before.get(&name), statistics, now);
        (name, point)
    };
    statistics.into_iter().map(point).collect()
}

/// Where readings are shown.
pub(super) struct Screen<W> {
    out: W,
    style: Style,
    is_empty: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Style {
    /// Each table over the one before.
    InPlace,
    /// Tables with an empty line between.
    Blocks,
    /// An object a line.
    Json,
}

impl Screen<StdoutLock<'static>> {
    pub(super) fn new(out: StdoutLock<'static>, form: Form) -> Self {
        let style = match form {
            Form::Json => Style::Json,
            Form::Table if out.is_terminal() => Style::InPlace,
            Form::Table => Style::Blocks,
        };
        Self { out, style, is_empty: true }
    }
}

impl<W: Write> Screen<W> {
    fn show(&mut self, reading: &Reading) -> io::Result<()> {
        let mut block = Vec::new();
        match self.style {
            Style::Json => writeln!(block, "{}", object(reading))?,
            Style::InPlace | Style::Blocks => rates_table(&mut block, reading)?,
        }
        match (self.style, std::mem::take(&mut self.is_empty)) {
            (Style::InPlace, is_first) => {
                // Overwriting line by line does not flicker as clearing first would.
                self.out.write_all(if is_first { b"\x1b[2J\x1b[H" } else { b"\x1b[H" })?;
                for line in block.split_inclusive(|&byte| byte == b'\n') {
                    self.out.write_all(line.trim_ascii_end())?;
                    self.out.write_all(b"\x1b[K\n")?;
                }
                self.out.write_all(b"\x1b[J")?;
            }
            (Style::Blocks, false) => {
                self.out.write_all(b"\n")?;
                self.out.write_all(&block)?;
            }
            (Style::Blocks | Style::Json, _) => self.out.write_all(&block)?,
        }
        self.out.flush()
    }
}

/// What `inval stats` prints, and the rates beside each namespace's numbers.
fn object(reading: &Reading) -> Value {
    let of = |point: &Point| {
        let mut object = json!(point.statistics);
        object["rates_per_s"] = json!(point.rates);
        object
    };
    let namespaces: BTreeMap<_, _> = reading.iter().map(|(name, one)| (name, of(one))).collect();
    json!({ "namespaces": namespaces })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(hits: u64, age_ms: u64) -> BTreeMap<String, Statistics> {
        BTreeMap::from([("users".to_owned(), Statistics { hits, age_ms, ..Statistics::default() })])
    }

    #[test]
    fn rates_count_from_when_the_numbers_were_true() {
        let start = Instant::now() + Duration::from_secs(60);
        let first = follow(&Reading::new(), reading(100, 0), start);
        assert_eq!(first["users"].rates, None, "there is nothing to compare with");
        let check = |before: &Reading, (hits, at_ms, age_ms), want| {
            let now = start + Duration::from_millis(at_ms);
            let reading = follow(before, reading(hits, age_ms), now);
            assert_eq!(reading["users"].rates.map(|rates| rates.hits), want);
            reading
        };
        check(&first, (400, 3000, 0), Some(100.0));
        let second = check(&first, (400, 3000, 1500), Some(200.0));
        // The same told again, also by a slow answer, and then what came after it.
        let third = check(&second, (400, 4000, 2497), Some(200.0));
        let third = check(&third, (400, 4200, 2600), Some(200.0));
        check(&third, (400, 4500, 1000), Some(0.0));
        check(&third, (500, 4500, 1000), Some(50.0));
        check(&third, (0, 4500, 0), None);
    }

    #[test]
    fn a_terminal_is_written_over_and_a_file_goes_on() {
        let check = |style, want: [&str; 2]| {
            let mut screen = Screen { out: Vec::new(), style, is_empty: true };
            for want in want {
                screen.show(&Reading::new()).unwrap();
                assert_eq!(String::from_utf8(std::mem::take(&mut screen.out)).unwrap(), want);
            }
        };
        let heading = "namespace  entries  bytes  hits/s  misses/s  miss ratio  writes/s  \
                       evicted/s  expired/s  backlog  lag";
        let over = |start: &str| format!("{start}{heading}\x1b[K\n\x1b[J");
        check(Style::InPlace, [&over("\x1b[2J\x1b[H"), &over("\x1b[H")]);
        check(Style::Blocks, [&format!("{heading}\n"), &format!("\n{heading}\n")]);
        check(Style::Json, ["{\"namespaces\":{}}\n"; 2]);
    }
}
