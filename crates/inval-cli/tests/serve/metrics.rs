//! What daemons tell a real Prometheus.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use inval_metrics::{Kind, Metric, catalogue};
use inval_test_servers::Server;
use serde_json::{Value, json};

use super::daemon::{Daemon, until};
use super::prometheus::Prometheus;

/// The most series of a namespace.
const MOST_SERIES: f64 = 80.0;

const SETTINGS: &str = "\
[namespaces.users]
strategy = \"lru\"
max_entries = 100
max_bytes = \"1 MiB\"
ttl = \"1h\"
";

fn rules() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../monitoring/alerts.yml")
}

/// Writes and reads until more than a limit was written, some reads missed, and something was deleted.
fn load(daemon: &Daemon) {
    let mut connection = daemon.connect();
    for number in 0..400 {
        let path = format!("/v1/namespaces/users/entries/{number}");
        assert_eq!(connection.send("PUT", &path, &[], Some(b"value")).status, 204);
        assert_eq!(connection.send("GET", &path, &[], None).status, 200);
        let absent = format!("/v1/namespaces/users/entries/absent-{number}");
        assert_eq!(connection.send("GET", &absent, &[], None).status, 404);
        if number % 10 == 0 {
            assert_eq!(connection.send("DELETE", &path, &[], None).status, 204);
        }
    }
}

/// The name of a series that a metric has for certain.
fn series_of(metric: &Metric) -> String {
    match metric.kind {
        Kind::Histogram(_) => format!("{}_count", metric.name),
        Kind::Counter | Kind::Gauge => metric.name.to_owned(),
    }
}

#[test]
fn every_metric_is_there_and_says_what_the_daemon_says() {
    let server = Server::redis().unwrap();
    let memory = Daemon::with_config(SETTINGS, &[]);
    let redis = Daemon::with_config(SETTINGS, &["--store", &server.url()]);
    let daemons = [(&memory, "memory"), (&redis, "redis")];
    let addresses = daemons.map(|(daemon, _)| daemon.address);
    let prometheus = Prometheus::start(&addresses, Duration::from_secs(1), &rules());
    daemons.iter().for_each(|(daemon, _)| load(daemon));
    for (daemon, store) in daemons {
        let selector = format!("{{instance=\"{}\"}}", daemon.address);
        let value = |name: &str| prometheus.number(&format!("{name}{selector}"));
        let stats = until("what was counted has been scraped", || {
            let stats = daemon.get("/v1/namespaces/users/stats").json();
            let evicted = stats["removed"]["evicted"]["entries"].as_f64()?;
            let scraped = value("inval_evicted_age_seconds_count")?;
            (stats["usage"]["entries"].as_u64()? <= 100 && evicted > 200.0 && scraped == evicted)
                .then_some(stats)
        });
        let equals = |name: &str, want: &Value| {
            assert_eq!(value(name), want.as_f64(), "{name} of {store}");
        };
        equals("inval_hits_total", &json!(400));
        equals("inval_misses_total", &json!(400));
        equals("inval_inserted_entries_total", &stats["inserted"]["entries"]);
        equals("inval_usage_entries", &stats["usage"]["entries"]);
        equals("inval_usage_bytes", &stats["usage"]["bytes"]);
        equals("inval_limit_entries", &json!(100));
        equals("inval_limit_bytes", &json!(1 << 20));
        equals("inval_upkeep_max_lag_seconds", &json!(1));
        for (cause, amount) in stats["removed"].as_object().unwrap() {
            let name =
                format!("inval_removed_entries_total{{cause=\"{cause}\"}} and on (instance) up");
            let found = prometheus.query(&name);
            let of_daemon =
                found.iter().find(|(labels, _)| labels["instance"] == daemon.address.to_string());
            assert_eq!(
                of_daemon.map(|(_, value)| *value),
                amount["entries"].as_f64(),
                "{cause}, {store}"
            );
        }
        let puts = prometheus.number(&format!(
            "inval_http_requests_total{{instance=\"{}\",operation=\"put_entry\",status=\"2xx\"}}",
            daemon.address
        ));
        assert_eq!(puts, Some(400.0), "{store}");
        let within = |name: &str, low: f64, high: f64| {
            let value = value(name).unwrap_or_else(|| panic!("{name} of {store}"));
            assert!((low..=high).contains(&value), "{name} of {store} is {value}");
        };
        within("inval_upkeep_duty_cycle_ratio", 0.0, 1.0);
        within("inval_upkeep_lag_seconds", 0.0, 60.0);
        within("inval_upkeep_backlog_records", 0.0, 0.0);
    }
    let told: BTreeSet<String> = prometheus
        .query("count by (__name__) (last_over_time({job=\"inval\"}[1m]))")
        .into_iter()
        .map(|(labels, _)| labels["__name__"].clone())
        .collect();
    let missing: Vec<_> = catalogue().map(series_of).filter(|name| !told.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    check_rules(&prometheus);
}

/// Every rule of ours can be evaluated, and none says that the daemons are in trouble.
fn check_rules(prometheus: &Prometheus) {
    let rules = until("all rules are evaluated", || {
        let groups = prometheus.api("/api/v1/rules")["groups"].take();
        let rules: Vec<Value> = groups
            .as_array()?
            .iter()
            .flat_map(|group| group["rules"].as_array().cloned().unwrap())
            .collect();
        (!rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown")).then_some(rules)
    });
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        assert_ne!(rule["state"], "firing", "{rule}");
    }
}

#[test]
fn a_thousand_namespaces_have_as_many_series_each_and_leave_none_behind() {
    let daemon = Daemon::start();
    for number in 0..1_000 {
        let config = json!({"max_entries": 8, "partitions": 1, "ttl": "1h"});
        daemon.create(&format!("tenant-{number}"), &config);
    }
    // A scrape may take as long, and this one is of a build that nobody optimized.
    let every = Duration::from_secs(4);
    let prometheus = Prometheus::start(&[daemon.address], every, Path::new("none.yml"));
    let by_namespace = "count by (namespace) ({job=\"inval\", namespace!=\"\"})";
    let counts = until("all are scraped", || {
        let counts = prometheus.query(by_namespace);
        (counts.len() == 1_000).then_some(counts)
    });
    let series = counts[0].1;
    assert!(series <= MOST_SERIES, "{series} series a namespace");
    for (labels, count) in counts {
        assert_eq!(count, series, "{labels:?}");
    }
    let others = prometheus.number("count({job=\"inval\", namespace=\"\"})").unwrap();
    assert!(others <= 500.0, "{others} series of the daemon as a whole");

    assert_eq!(daemon.delete("/v1/namespaces/tenant-7").status, 204);
    until("its series are gone", || {
        let left = prometheus.number("count({namespace=\"tenant-7\"})");
        let rest = prometheus.query(by_namespace).len();
        (left.is_none() && rest == 999).then_some(())
    });
}
