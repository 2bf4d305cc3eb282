//! The namespaces on a server: whether their configuration can be read and is that of the file, how long journals are,
//! who manages them.

use std::collections::BTreeSet;

use inval_core::engine::EngineSettings;
use inval_core::keyspace::Keyspace;
use inval_core::{Config, Namespace, Store};
use inval_redis::{Cache, Error, OpenError};
use redis::Value;

use super::Order;
use super::finding::{Finding, Severity};
use super::patient::Patient;

/// A journal that is longer than this part of its cap is not read fast enough.
const LONG: u64 = 2;

/// Every namespace on the server, and those of the file that are not there.
pub(super) async fn examine(order: &Order<'_>, patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "namespaces";
    let mut findings = Vec::new();
    let found = match inval_redis::namespaces(&patient.client).await {
        Ok(found) => found,
        Err(Error::Permission) => {
            findings.push(Finding::hidden(CHECK, "SCAN").at(&patient.target));
            Vec::new()
        }
        Err(error) => {
            let finding = Finding::new(CHECK, Severity::Error, error.to_string());
            return vec![
                finding.todo("bring the server back, then look again").at(&patient.target),
            ];
        }
    };
    let all: BTreeSet<&Namespace> =
        found.iter().chain(order.namespaces().map(|(name, _)| name)).collect();
    for name in all {
        let wanted = order.namespaces().find(|(other, _)| *other == name);
        let wanted = wanted.map(|(_, wanted)| &wanted.config);
        findings.extend(
            namespace(patient, name, wanted).await.into_iter().map(|finding| finding.at(name)),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "none on the server").at(&patient.target));
    }
    findings
}

async fn namespace(patient: &Patient, name: &Namespace, wanted: Option<&Config>) -> Vec<Finding> {
    const CHECK: &str = "agreement";
    let client = patient.client.clone();
    let cache = match Cache::attach(client, name.clone(), EngineSettings::default()).await {
        Ok(cache) => cache,
        Err(OpenError::Unknown) => {
            return vec![
                Finding::new(CHECK, Severity::Info, "in the file, and not on the server yet")
                    .todo("the daemon creates it at its start"),
            ];
        }
        Err(OpenError::Server(Error::Permission)) => {
            return vec![Finding::hidden(CHECK, "GET on the configuration")];
        }
        Err(error) => {
            return vec![
                Finding::new(CHECK, Severity::Error, error.to_string())
                    .todo("upgrade inval, or delete the namespace's keys and create it anew"),
            ];
        }
    };
    let config = Store::config(&cache);
    let agreement = match wanted.map(|wanted| is_alike(&config, wanted)) {
        None | Some(true) => Finding::ok(CHECK, "readable"),
        Some(false) => {
            Finding::new(CHECK, Severity::Warning, "keeps to something else than the file says")
                .todo(
                    "reload the daemon or `inval ns set`; what cannot change needs a new namespace",
                )
        }
    };
    vec![agreement, journals(patient, &cache).await, leases(patient, &cache).await]
}

/// Whether two configurations say the same, but for what each process has of its own.
fn is_alike(one: &Config, other: &Config) -> bool {
    let told = |config: &Config| {
        let limits = (config.max_entries(), config.max_bytes());
        let lives = (config.ttl(), config.time_to_idle(), config.ttl_jitter());
        (config.strategy(), limits, lives)
    };
    told(one) == told(other)
}

async fn journals(patient: &Patient, cache: &Cache) -> Finding {
    const CHECK: &str = "journal";
    let mut longest = 0;
    for names in partitions(cache) {
        match patient.ask(&["LLEN", names.journal()]).await {
            Ok(Value::Int(len)) => longest = longest.max(len.unsigned_abs()),
            Err(Error::Permission) => return Finding::hidden(CHECK, "LLEN"),
            Err(error) => return failed(CHECK, &error),
            Ok(_) => {}
        }
    }
    let cap = cache.journal_cap();
    let is = format!("{longest} records wait, of at most {cap}");
    if longest > cap / LONG {
        return Finding::new(CHECK, Severity::Warning, is)
            .todo("check that a manager runs and keeps up; writers are being slowed down");
    }
    Finding::ok(CHECK, is)
}

/// Whether each partition has a manager and accounts.
async fn leases(patient: &Patient, cache: &Cache) -> Finding {
    const CHECK: &str = "manager";
    let (mut held, mut booked, mut all) = (0, 0, 0);
    for names in partitions(cache) {
        all += 1;
        // Of these two a manager has need itself; what is not there has a lifetime of -2.
        let there = [["PTTL", names.lease()], ["EXISTS", names.accounts()]];
        for (question, count) in there.into_iter().zip([&mut held, &mut booked]) {
            match patient.ask(&question).await {
                Ok(Value::Int(answer)) => *count += u32::from(answer != -2 && answer != 0),
                Err(Error::Permission) => return Finding::hidden(CHECK, question[0]),
                Err(error) => return failed(CHECK, &error),
                Ok(_) => {}
            }
        }
    }
    let is = format!("{held} of {all} partitions have a manager, {booked} have accounts");
    if held < all {
        return Finding::new(CHECK, Severity::Warning, is)
            .todo("start a daemon or a process with a manager, or the limits are not kept");
    }
    Finding::ok(CHECK, is)
}

fn partitions(cache: &Cache) -> impl Iterator<Item = Keyspace> + '_ {
    (0..Store::partitions(cache)).map(|partition| Keyspace::new(cache.namespace(), partition))
}

fn failed(check: &'static str, error: &Error) -> Finding {
    Finding::new(check, Severity::Error, error.to_string()).todo("bring the server back")
}
