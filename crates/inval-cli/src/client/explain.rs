//! The command `inval explain`: what is known of a key, in sentences.

use std::io::{self, Write};
use std::time::Duration;

use inval_core::Strategy;

use super::endpoint::Endpoint;
use super::explanation::{Cause, Explanation, Present, Remembered, Removed};
use super::keys::read_key;
use super::print;
use super::values::Span;
use crate::args::{ExplainArgs, Form};
use crate::failure::{Exit, Said};
use crate::output::grouped;

/// How many removals are told besides the last one.
const MOST_TOLD: usize = 4;
/// Two limits are used to the same degree if the shares of them that are used differ by no more.
const ALIKE: f64 = 0.02;
/// Used to a lesser degree than this, a limit can have been at work only in a partition.
const FULL: f64 = 0.9;

/// Prints what is known of a key: its entry, or why there is none, which is the exit code as well.
pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<()> {
    let key = read_key(&args.key, args.keys.key_encoding)?;
    let explanation = Endpoint::open(&args.access.origin)?.explain(&args.keys.namespace, &key)?;
    let mut out = io::stdout().lock();
    match args.access.output {
        Form::Json => print::json(&mut out, &explanation)?,
        Form::Table => writeln!(out, "{}", text(&explanation))?,
    }
    out.flush()?;
    match explanation.present {
        Some(_) => Ok(()),
        None => Err(Said(Exit::Absent).into()),
    }
}

/// A line on what is, and one on what was before, if anything is known of it.
fn text(explanation: &Explanation) -> String {
    let removals = &explanation.removals[..];
    let (line, before) = match (&explanation.present, removals) {
        (Some(present), _) => (format!("present: {}", entry(present)), removals),
        (None, [last, before @ ..]) => {
            (format!("absent: {}; {}", went(last), reason(last.cause, explanation)), before)
        }
        (None, []) => (format!("absent: {}", unknown(explanation)), removals),
    };
    let mut told: Vec<String> = before.iter().take(MOST_TOLD).map(went).collect();
    if before.len() > MOST_TOLD {
        told.push(format!("{} more", before.len() - MOST_TOLD));
    }
    if told.is_empty() { line } else { format!("{line}\nbefore: {}", told.join(", ")) }
}

fn entry(present: &Present) -> String {
    let mut parts = Vec::new();
    parts.extend(present.weight.map(|weight| format!("{} bytes", grouped(weight.into()))));
    parts.push(present.expires_in_ms.map_or_else(
        || "does not expire".to_owned(),
        |left| format!("expires in {}", coarse(Duration::from_millis(left))),
    ));
    parts.extend(present.idle_ms.map(|idle| format!("last used {}", ago(idle))));
    parts.extend(present.age_ms.map(|age| format!("written {}", ago(age))));
    parts.join(", ")
}

fn went(removed: &Removed) -> String {
    let Removed { cause, weight, ago_ms } = *removed;
    let cause = match cause {
        Cause::Expired => "expired",
        Cause::Evicted => "evicted",
        Cause::Invalidated => "invalidated",
        Cause::Replaced => "replaced",
        Cause::Vanished => "found to have vanished",
    };
    format!("{cause} {} ({} bytes)", ago(ago_ms), grouped(weight.into()))
}

/// Why that happens, and what to do about it.
fn reason(cause: Cause, explanation: &Explanation) -> String {
    let config = &explanation.config;
    match cause {
        Cause::Expired => match (config.ttl, config.time_to_idle) {
            (ttl, Some(idle)) => {
                let ttl = ttl.map_or_else(String::new, |ttl| format!(", and ttl is {ttl}"));
                format!("it was not used for long enough: time_to_idle is {idle}{ttl}")
            }
            (Some(ttl), None) => {
                format!("write it with a TTL of its own, or raise ttl, which is {ttl}")
            }
            (None, None) => "write it with a longer TTL of its own".to_owned(),
        },
        Cause::Evicted => match limit(explanation) {
            Some((limit, raise)) => format!(
                "{} evicts {} to keep {limit}; raise {raise} to keep entries longer",
                config.strategy,
                first_to_go(config.strategy)
            ),
            None => "the limit that it went for has been taken off since".to_owned(),
        },
        Cause::Invalidated => "somebody deleted it, or cleared the namespace".to_owned(),
        Cause::Replaced => "it was overwritten".to_owned(),
        Cause::Vanished => {
            "another program deleted it, or the server did: see its maxmemory-policy".to_owned()
        }
    }
}

/// The limit that is at work, as far as usage tells, with its value and without.
fn limit(explanation: &Explanation) -> Option<(String, &'static str)> {
    let Explanation { config, usage, .. } = explanation;
    let share = |used: u64, limit: Option<u64>| limit.map(|limit| used as f64 / limit as f64);
    let value = |limit: Option<u64>| grouped(limit.unwrap_or_default());
    let entries = || format!("max_entries {}", value(config.max_entries));
    let bytes = || format!("max_bytes {}", value(config.max_bytes));
    let by_entries = share(usage.entries, config.max_entries);
    let by_bytes = share(usage.bytes, config.max_bytes);
    let (limit, raise) = match (by_entries, by_bytes) {
        (Some(one), Some(other)) if (one - other).abs() <= ALIKE => {
            (format!("{} or {}", entries(), bytes()), "them")
        }
        (Some(one), other) if other.is_none_or(|other| one > other) => (entries(), "max_entries"),
        (_, Some(_)) => (bytes(), "max_bytes"),
        (_, None) => return None,
    };
    let is_full = |share: Option<f64>| share.is_some_and(|share| share >= FULL);
    if explanation.partitions > 1 && !is_full(by_entries) && !is_full(by_bytes) {
        return Some((format!("the share that its partition has of {limit}"), raise));
    }
    Some((limit, raise))
}

fn first_to_go(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Ttl => "what would expire soonest",
        Strategy::Fifo => "what was written first",
        Strategy::Lru => "what was used least recently",
        Strategy::Lfu => "what was used least often",
        Strategy::Sieve => "what was not read since its hand last passed",
        Strategy::S3Fifo => "what was not read again soon after it was written",
        Strategy::WTinyLfu => "what was asked for less often than what is to stay",
    }
}

/// What can be said of a key that is absent, and of which no removal is remembered.
fn unknown(explanation: &Explanation) -> String {
    let ask = "ask the daemon that maintains the namespace";
    let Some(remembered) = explanation.remembered else {
        return format!("why is not remembered here; {ask}");
    };
    if !explanation.maintained_here {
        return format!("another manager maintains the namespace and may know why; {ask}");
    }
    let Remembered { share, includes_key, since_ms, missed } = remembered;
    let since = coarse(Duration::from_millis(since_ms));
    if !includes_key {
        let keys = grouped((1.0 / share).round() as u64);
        return format!(
            "nothing is remembered of it; so much is removed that only 1 in {keys} keys is \
             remembered, since {since}, and this is none of them"
        );
    }
    let missed = match missed {
        0 => String::new(),
        missed => format!(", unless it is one of {} that were missed", grouped(missed)),
    };
    format!("it was never there, or went more than {since} ago, before what is remembered{missed}")
}

fn ago(ms: u64) -> String {
    match ms {
        ..1_000 => "just now".to_owned(),
        _ => format!("{} ago", coarse(Duration::from_millis(ms))),
    }
}

/// A duration in no more units than matter.
fn coarse(time: Duration) -> Span {
    let unit = match time.as_secs() {
        0 => return Span(Duration::from_millis(time.as_millis() as u64)),
        1..3_600 => 1,
        3_600..86_400 => 60,
        _ => 3_600,
    };
    Span(Duration::from_secs(time.as_secs() / unit * unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::statistics::Amount;
    use crate::client::values::Settings;

    fn absent(config: Settings, usage: (u64, u64)) -> Explanation {
        let usage = Amount { entries: usage.0, bytes: usage.1 };
        let remembered =
            Remembered { share: 1.0, includes_key: true, since_ms: 200_000, missed: 0 };
        Explanation {
            present: None,
            removals: Vec::new(),
            remembered: Some(remembered),
            maintained_here: true,
            config,
            partitions: 1,
            usage,
        }
    }

    fn limits(max_entries: Option<u64>, max_bytes: Option<u64>) -> Settings {
        Settings { strategy: Strategy::Lru, max_entries, max_bytes, ..Settings::NONE }
    }

    #[test]
    fn the_limit_that_is_used_most_is_the_one_at_work() {
        let check = |config: Settings, usage, partitions, want: Option<&str>| {
            let explanation = Explanation { partitions, ..absent(config, usage) };
            let limit = limit(&explanation).map(|(limit, raise)| format!("{limit}, {raise}"));
            assert_eq!(limit.as_deref(), want, "{usage:?}");
        };
        let both = limits(Some(10), Some(1_000));
        check(limits(Some(10), None), (9, 0), 1, Some("max_entries 10, max_entries"));
        check(limits(None, Some(1_000)), (9, 5), 1, Some("max_bytes 1,000, max_bytes"));
        check(both, (10, 900), 1, Some("max_entries 10, max_entries"));
        check(both, (9, 990), 4, Some("max_bytes 1,000, max_bytes"));
        check(both, (10, 990), 1, Some("max_entries 10 or max_bytes 1,000, them"));
        let part = "the share that its partition has of max_bytes 1,000, max_bytes";
        check(both, (2, 700), 4, Some(part));
        check(limits(None, None), (9, 9), 1, None);
    }

    #[test]
    fn what_is_not_known_is_said_with_its_reason() {
        let config = limits(Some(10), None);
        let check = |change: &dyn Fn(&mut Explanation), want: &str| {
            let mut explanation = absent(config, (9, 90));
            change(&mut explanation);
            assert_eq!(text(&explanation), want);
        };
        let known = |remembered| move |e: &mut Explanation| e.remembered = Some(remembered);
        let all = Remembered { share: 1.0, includes_key: true, since_ms: 200_000, missed: 0 };
        check(
            &known(all),
            "absent: it was never there, or went more than 3m20s ago, before what is remembered",
        );
        check(
            &known(Remembered { missed: 1_234, ..all }),
            "absent: it was never there, or went more than 3m20s ago, before what is remembered, \
             unless it is one of 1,234 that were missed",
        );
        check(
            &known(Remembered { share: 0.125, includes_key: false, ..all }),
            "absent: nothing is remembered of it; so much is removed that only 1 in 8 keys is \
             remembered, since 3m20s, and this is none of them",
        );
        check(
            &|e| e.maintained_here = false,
            "absent: another manager maintains the namespace and may know why; ask the daemon that \
             maintains the namespace",
        );
        check(
            &|e| e.remembered = None,
            "absent: why is not remembered here; ask the daemon that maintains the namespace",
        );
    }

    #[test]
    fn every_cause_has_its_reason() {
        let minute = Some(Span(Duration::from_secs(60)));
        let check = |cause, config: Settings, want: &str| {
            assert_eq!(reason(cause, &absent(config, (9, 90))), want);
        };
        let lru = limits(Some(10), None);
        check(
            Cause::Evicted,
            lru,
            "lru evicts what was used least recently to keep max_entries 10; raise max_entries to \
             keep entries longer",
        );
        check(
            Cause::Evicted,
            limits(None, None),
            "the limit that it went for has been taken off since",
        );
        check(Cause::Expired, lru, "write it with a longer TTL of its own");
        let ttl = Settings { ttl: minute, ..lru };
        check(Cause::Expired, ttl, "write it with a TTL of its own, or raise ttl, which is 1m");
        let idle = Settings { time_to_idle: minute, ..lru };
        let unused = "it was not used for long enough: time_to_idle is 1m";
        check(Cause::Expired, idle, unused);
        let both = Settings { ttl: minute, ..idle };
        check(Cause::Expired, both, &format!("{unused}, and ttl is 1m"));
        check(Cause::Invalidated, lru, "somebody deleted it, or cleared the namespace");
        check(
            Cause::Vanished,
            lru,
            "another program deleted it, or the server did: see its maxmemory-policy",
        );
    }

    #[test]
    fn durations_have_the_units_that_matter() {
        let check = |ms, want: &str| {
            assert_eq!(coarse(Duration::from_millis(ms)).to_string(), want);
        };
        check(0, "0s");
        check(250, "250ms");
        check(1_999, "1s");
        check(3_599_999, "59m59s");
        check(7_500_000, "2h5m");
        check(90_000_000, "1d1h");
    }
}
