//! One server: its version, how fast it answers, its clock, its disk, what it evicts.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use inval_redis::{Error, Target};
use redis::Value;

use super::Order;
use super::finding::{Finding, Severity};
use super::memory;
use super::patient::{Info, Patient, text};
use super::topology;
use super::users;

/// The oldest major version that is supported.
const OLDEST: u32 = 7;
/// The longest usual round trip, in a data centre, and the largest difference of clocks that is none.
const SLOW: Duration = Duration::from_millis(10);
const ASTRAY: Duration = Duration::from_secs(1);
/// Between two PINGs.
const PAUSE: Duration = Duration::from_millis(20);

/// Everything about one server, which was named itself or by its Cluster.
pub(super) async fn examine(order: &Order<'_>, patient: &Patient, named: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    let before = patient.info().await;
    let trips = watch(patient, order.args.watch).await;
    let after = patient.info().await;
    findings.push(latency(trips));
    match (before, after) {
        (Ok(before), Ok(after)) => {
            findings.push(version(&after));
            findings.extend(topology::replication(&after));
            findings.push(topology::mode(&after, named));
            findings.push(memory::policy(&after));
            findings.push(memory::room(&after, order));
            findings.push(memory::evictions(&before, &after));
            findings.push(memory::fragmentation(&after));
            findings.push(persistence(&after));
        }
        (Err(Error::Permission), _) | (_, Err(Error::Permission)) => {
            findings.push(Finding::hidden("server", "INFO"));
        }
        (Err(error), _) | (_, Err(error)) => {
            return vec![Finding::unreachable(&patient.target, &error)];
        }
    }
    findings.push(clock(patient).await);
    findings.push(slow_log(patient).await);
    findings.push(events(patient).await);
    findings.extend(users::own_user(order, patient).await);
    findings.into_iter().map(|finding| finding.at(&patient.target)).collect()
}

/// Round trips for as long, but one at least.
async fn watch(patient: &Patient, time: Duration) -> Vec<Duration> {
    let began = Instant::now();
    let mut trips = Vec::new();
    loop {
        trips.extend(patient.round_trip().await);
        if began.elapsed() >= time {
            return trips;
        }
        tokio::time::sleep(PAUSE.min(time)).await;
    }
}

fn latency(mut trips: Vec<Duration>) -> Finding {
    trips.sort_unstable();
    let ms = |at: usize| trips.get(at).map_or(0.0, |trip| trip.as_secs_f64() * 1e3);
    let (middle, last) = (trips.len() / 2, trips.len().saturating_sub(1));
    let is = format!("answers within {:.1} ms, at the most {:.1} ms", ms(middle), ms(last));
    match trips.get(middle) {
        Some(trip) if *trip <= SLOW => Finding::ok("latency", is),
        _ => Finding::new("latency", Severity::Warning, is)
            .todo("look for slow commands, a busy processor, or a long way to the server"),
    }
}

fn version(info: &Info) -> Finding {
    let valkey = info.text("valkey_version").map(|version| format!("Valkey {version}"));
    let redis = info.text("redis_version").map(|version| format!("Redis {version}"));
    let major = info.text("redis_version").and_then(|text| text.split('.').next()?.parse().ok());
    let is = valkey.or(redis).unwrap_or_else(|| "a server that names no version".to_owned());
    match major {
        Some(OLDEST..) => Finding::ok("version", is),
        _ => Finding::new("version", Severity::Error, is)
            .todo("upgrade to Redis 7 or Valkey 8 at least"),
    }
}

fn persistence(info: &Info) -> Finding {
    let failed = ["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"]
        .iter()
        .any(|field| info.text(field) == Some("err"));
    if failed {
        return Finding::new(
            "persistence",
            Severity::Error,
            "the server could not save the last time",
        )
        .todo("look at its disk and log: it refuses writes while that is so");
    }
    let (severity, is) = match (info.text("aof_enabled"), info.text("rdb_bgsave_in_progress")) {
        (Some("1"), _) => (Severity::Info, "every write goes to the append-only file as well"),
        (_, Some("1")) => {
            (Severity::Info, "a snapshot is being written, meanwhile the idle clock stands still")
        }
        _ => (Severity::Ok, "no append-only file; after a restart the books follow what is there"),
    };
    Finding::new("persistence", severity, is).todo(
        "caches can do without: appendonly no and save \"\", unless other data is on this server",
    )
}

async fn clock(patient: &Patient) -> Finding {
    let asked = Instant::now();
    let reply = patient.ask(&["TIME"]).await;
    let (trip, now) = (asked.elapsed(), SystemTime::now().duration_since(UNIX_EPOCH));
    let parts = match reply {
        Ok(Value::Array(parts)) => parts,
        Err(Error::Permission) => return Finding::hidden("clock", "TIME"),
        _ => return Finding::new("clock", Severity::Info, "the server does not tell its time"),
    };
    let number = |at: usize| parts.get(at).and_then(text)?.parse::<u64>().ok();
    let theirs =
        number(0).zip(number(1)).map(|(s, us)| Duration::from_secs(s) + Duration::from_micros(us));
    let Some((theirs, ours)) = theirs.zip(now.ok()) else {
        return Finding::new("clock", Severity::Info, "the server's time makes no sense");
    };
    let offset = ours.abs_diff(theirs).saturating_sub(trip);
    let is = format!("differs from ours by {} ms", offset.as_millis());
    match offset > ASTRAY {
        false => Finding::ok("clock", is),
        true => Finding::new("clock", Severity::Warning, is).todo(
            "have both hosts keep their time by NTP; lifetimes are on the server's clock alone",
        ),
    }
}

async fn slow_log(patient: &Patient) -> Finding {
    match patient.ask(&["SLOWLOG", "LEN"]).await {
        Ok(Value::Int(0)) => Finding::ok("slow log", "empty"),
        Ok(Value::Int(count)) => {
            let is = format!("{count} commands took longer than slowlog-log-slower-than");
            Finding::new("slow log", Severity::Info, is).todo("SLOWLOG GET shows which")
        }
        _ => Finding::hidden("slow log", "SLOWLOG"),
    }
}

async fn events(patient: &Patient) -> Finding {
    match patient.ask(&["LATENCY", "LATEST"]).await {
        Ok(Value::Array(events)) if events.is_empty() => {
            Finding::ok("latency events", "none noted")
        }
        Ok(Value::Array(events)) => {
            let name = |event: &Value| match event {
                Value::Array(parts) => parts.first().and_then(text),
                _ => None,
            };
            let names: Vec<_> = events.iter().filter_map(name).collect();
            let is = format!("the server has noted delays by {}", names.join(", "));
            Finding::new("latency events", Severity::Info, is).todo("LATENCY DOCTOR explains them")
        }
        _ => Finding::hidden("latency events", "LATENCY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_judged_by_what_it_says() {
        let check = |finding: Finding, want: Severity| {
            assert_eq!(finding.severity, want, "{finding:?}");
        };
        let info = Info::example;
        check(version(&info(&[("redis_version", "7.0.15")])), Severity::Ok);
        check(version(&info(&[("redis_version", "6.2.1")])), Severity::Error);
        check(version(&info(&[])), Severity::Error);
        check(persistence(&info(&[("aof_enabled", "0")])), Severity::Ok);
        check(persistence(&info(&[("rdb_bgsave_in_progress", "1")])), Severity::Info);
        check(persistence(&info(&[("aof_enabled", "1")])), Severity::Info);
        check(persistence(&info(&[("rdb_last_bgsave_status", "err")])), Severity::Error);
        let ms = |ms: &[u64]| ms.iter().map(|&ms| Duration::from_millis(ms)).collect();
        check(latency(ms(&[1, 200, 2])), Severity::Ok);
        check(latency(ms(&[11, 12, 1])), Severity::Warning);
        check(latency(Vec::new()), Severity::Warning);
    }
}
