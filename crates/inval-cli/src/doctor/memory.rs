//! Memory: what the server evicts by itself, and how much room it has.

use super::Order;
use super::finding::{Finding, Severity};
use super::patient::Info;

/// From which share of its limit on a server counts as full.
const FULL: f64 = 0.9;
const MIB: f64 = (1 << 20) as f64;
/// How much more a server may take from the system than it uses, and from how many bytes on it matters.
const LOOSE: f64 = 1.5;
const MUCH: f64 = (100 << 20) as f64;

/// Whether the server may evict what inval needs.
pub(super) fn policy(info: &Info) -> Finding {
    const CHECK: &str = "eviction policy";
    let policy = info.text("maxmemory_policy").unwrap_or("unknown");
    if info.number("maxmemory") == Some(0.0) {
        let is = format!("maxmemory is not set, so {policy} is never applied");
        return Finding::new(CHECK, Severity::Info, is)
            .todo("set maxmemory above the limits of all namespaces together, with noeviction");
    }
    match policy.split('-').next() {
        Some("noeviction") => Finding::ok(CHECK, "noeviction: only inval decides what goes"),
        Some("volatile") => {
            let is = format!("{policy} may evict entries with a lifetime, and leases of managers");
            Finding::new(CHECK, Severity::Warning, is)
                .todo("use noeviction and keep the namespaces' limits below maxmemory")
        }
        _ => {
            let is =
                format!("{policy} may evict journals, accounts and configurations of namespaces");
            Finding::new(CHECK, Severity::Error, is)
                .todo("use noeviction and keep the namespaces' limits below maxmemory")
        }
    }
}

/// Whether there is room left, also for what the file allows the namespaces to grow to.
pub(super) fn room(info: &Info, order: &Order<'_>) -> Finding {
    let allowed: u64 = order.namespaces().filter_map(|(_, wanted)| wanted.config.max_bytes()).sum();
    judge_room(info, allowed)
}

fn judge_room(info: &Info, allowed: u64) -> Finding {
    const CHECK: &str = "memory";
    let size = |bytes: f64| format!("{:.1} MiB", bytes / MIB);
    let used = info.number("used_memory").unwrap_or(0.0);
    let most = info.number("maxmemory").unwrap_or(0.0);
    if most == 0.0 {
        return Finding::ok(CHECK, format!("{} in use", size(used)));
    }
    let is = format!("{} in use of {}", size(used), size(most));
    if used > most * FULL {
        return Finding::new(CHECK, Severity::Warning, is)
            .todo("raise maxmemory or lower the namespaces' limits, before writes are refused");
    }
    if allowed as f64 > most {
        let is = format!("{is}; the namespaces of the file may grow to {}", size(allowed as f64));
        return Finding::new(CHECK, Severity::Warning, is)
            .todo("raise maxmemory, or lower max_bytes of the namespaces");
    }
    Finding::ok(CHECK, is)
}

/// Whether the server evicts now.
pub(super) fn evictions(before: &Info, after: &Info) -> Finding {
    const CHECK: &str = "evictions";
    let count = |info: &Info| info.number("evicted_keys").unwrap_or(0.0);
    let (before, after) = (count(before), count(after));
    if after > before {
        let is = format!("the server is evicting: {} keys while it was watched", after - before);
        return Finding::new(CHECK, Severity::Error, is)
            .todo("it is full: raise maxmemory or lower the namespaces' limits");
    }
    match after {
        0.0 => Finding::ok(CHECK, "the server has evicted nothing"),
        count => {
            Finding::new(CHECK, Severity::Info, format!("{count} keys evicted since its start"))
                .todo("watch whether it grows: INFO stats, evicted_keys")
        }
    }
}

/// Whether much memory is lost between what is in use.
pub(super) fn fragmentation(info: &Info) -> Finding {
    const CHECK: &str = "fragmentation";
    let ratio = info.number("mem_fragmentation_ratio").unwrap_or(1.0);
    let is = format!("takes {ratio:.2} times the memory that is in use");
    if info.number("used_memory").unwrap_or(0.0) < MUCH {
        return Finding::ok(CHECK, is);
    }
    match ratio {
        LOOSE.. => Finding::new(CHECK, Severity::Warning, is)
            .todo("set activedefrag yes, or restart the server at a quiet time"),
        ..1.0 => Finding::new(CHECK, Severity::Warning, is)
            .todo("part of it is swapped out: give the host more memory, or lower maxmemory"),
        _ => Finding::ok(CHECK, is),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(finding: Finding, want: Severity) {
        assert_eq!(finding.severity, want, "{finding:?}");
    }

    #[test]
    fn a_policy_is_judged_by_what_it_may_evict() {
        let policy =
            |name, most| policy(&Info::example(&[("maxmemory_policy", name), ("maxmemory", most)]));
        check(policy("noeviction", "100"), Severity::Ok);
        check(policy("noeviction", "0"), Severity::Info);
        check(policy("allkeys-lru", "0"), Severity::Info);
        check(policy("allkeys-lru", "100"), Severity::Error);
        check(policy("volatile-ttl", "100"), Severity::Warning);
    }

    #[test]
    fn room_is_judged_by_use_and_by_what_is_allowed() {
        let room = |used, most, allowed| {
            judge_room(&Info::example(&[("used_memory", used), ("maxmemory", most)]), allowed)
        };
        check(room("50", "100", 0), Severity::Ok);
        check(room("50", "100", 100), Severity::Ok);
        check(room("50", "100", 101), Severity::Warning);
        check(room("91", "100", 0), Severity::Warning);
        check(room("91", "0", 1000), Severity::Ok);
    }

    #[test]
    fn evictions_count_while_they_go_on() {
        let info = |count| Info::example(&[("evicted_keys", count)]);
        check(evictions(&info("0"), &info("0")), Severity::Ok);
        check(evictions(&info("5"), &info("5")), Severity::Info);
        check(evictions(&info("5"), &info("6")), Severity::Error);
    }

    #[test]
    fn fragmentation_matters_where_there_is_much() {
        let ratio = |used, ratio| {
            fragmentation(&Info::example(&[
                ("used_memory", used),
                ("mem_fragmentation_ratio", ratio),
            ]))
        };
        check(ratio("1000", "9.0"), Severity::Ok);
        check(ratio("200000000", "1.2"), Severity::Ok);
        check(ratio("200000000", "1.6"), Severity::Warning);
        check(ratio("200000000", "0.8"), Severity::Warning);
    }
}
