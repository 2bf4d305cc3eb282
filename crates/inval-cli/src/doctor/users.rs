//! Users of a server: whether ours may do what it must and no more, and whether anybody can come in.

use std::collections::BTreeSet;

use inval_core::Namespace;
use inval_redis::acl::{Deployment, Layout, Part, Reading, Rules, Scope};
use inval_redis::{ConnectOptions, Credentials, Error};
use redis::Value;

use super::Order;
use super::finding::{Finding, Severity};
use super::patient::{Patient, text};

/// What no role needs, each a way to do harm or to look at what is not ours.
const TOO_MUCH: [&[&str]; 9] = [
    &["flushall"],
    &["config", "set", "maxmemory", "1"],
    &["acl", "setuser", "x"],
    &["shutdown"],
    &["debug", "sleep", "0"],
    &["replicaof", "no", "one"],
    &["keys", "*"],
    &["eval", "return 1", "0"],
    &["get", "not-a-key-of-inval"],
];

/// Our user, against the rights of the role it is to have.
pub(super) async fn own_user(order: &Order<'_>, patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "user";
    let name = match patient.ask(&["ACL", "WHOAMI"]).await {
        Ok(reply) => text(&reply).unwrap_or_default(),
        Err(_) => return vec![Finding::hidden(CHECK, "ACL WHOAMI")],
    };
    let mut excess = Vec::new();
    for call in TOO_MUCH {
        match may(patient, &name, call).await {
            Some(true) => excess.push(call[..call.len().min(2)].join(" ")),
            Some(false) => {}
            None => return vec![Finding::hidden(CHECK, "ACL DRYRUN")],
        }
    }
    let excess = match excess.is_empty() {
        true => Finding::ok(CHECK, "may do nothing of what no role needs"),
        false => {
            let is = format!("may do more than it has to, such as {}", excess.join(", "));
            Finding::new(CHECK, Severity::Warning, is)
                .todo("make a user with the rules that `inval acl` prints")
        }
    };
    vec![needs(order, patient, &name).await, excess]
}

async fn needs(order: &Order<'_>, patient: &Patient, name: &str) -> Finding {
    const CHECK: &str = "rights";
    let role = order.args.role;
    let mut lacking = BTreeSet::new();
    for layout in layouts(order, patient).await {
        let rules = Rules::new(role, layout);
        for need in rules.needs() {
            let names: BTreeSet<String> =
                need.keys.iter().flat_map(|(part, _)| example(&rules, *part)).collect();
            let calls = match names.is_empty() {
                true => vec![need.call("")],
                false => names.iter().map(|name| need.call(name)).collect(),
            };
            for call in calls {
                let call: Vec<&str> = call.iter().map(String::as_str).collect();
                if may(patient, name, &call).await == Some(false) {
                    lacking.insert(need.command.replace('|', " "));
                }
            }
        }
    }
    if lacking.is_empty() {
        return Finding::ok(CHECK, format!("may do what the role {role} needs"));
    }
    let lacking: Vec<_> = lacking.into_iter().collect();
    let is = format!("may not do what the role {role} needs: {}", lacking.join(", "));
    Finding::new(CHECK, Severity::Error, is).todo("give it the rules that `inval acl` prints")
}

/// Names that keys of a part have.
fn example(rules: &Rules, part: Part) -> Vec<String> {
    let patterns = rules.patterns(part).into_iter();
    patterns.map(|pattern| pattern.replace("[0-9]", "1").replace('*', "0")).collect()
}

/// What the namespaces of the file are like; without a file, one with a name that none should have.
async fn layouts(order: &Order<'_>, patient: &Patient) -> Vec<Layout> {
    let deployment = match (patient.target.is_behind_sentinel(), patient.target.is_cluster()) {
        (true, _) => Deployment::Sentinel,
        (_, true) => Deployment::Cluster,
        _ => Deployment::Single,
    };
    let db = patient.target.db();
    let layout = |name: &Namespace, partitions, reading| {
        let scopes = vec![Scope::from(name)];
        Layout { scopes, partitions, reading, deployment, db }
    };
    let of_file = order.namespaces().map(|(name, wanted)| {
        let is_idle = wanted.config.time_to_idle().is_some();
        let reading = if is_idle { Reading::Idle } else { Reading::Plain };
        layout(name, wanted.partitions.unwrap_or(1), reading)
    });
    let of_file: Vec<_> = of_file.collect();
    if !of_file.is_empty() {
        return of_file;
    }
    let found = inval_redis::namespaces(&patient.client).await.unwrap_or_default();
    found.iter().map(|name| layout(name, 1, Reading::Plain)).collect()
}

/// Whether a user may do this; `None` where we may not ask.
async fn may(patient: &Patient, user: &str, call: &[&str]) -> Option<bool> {
    match patient.ask(&[&["ACL", "DRYRUN", user], call].concat()).await {
        Ok(Value::Okay) => Some(true),
        Ok(_) => Some(false),
        Err(Error::Permission) => None,
        // Such as a command that this server does not have.
        Err(_) => Some(false),
    }
}

/// Whether the server lets anybody in who gives no password.
pub(super) async fn default_user(order: &Order<'_>, patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "default user";
    let target = patient.target.without_login();
    let options = ConnectOptions {
        credentials: Credentials::FromTarget,
        sentinel_credentials: order.options.sentinel_credentials.clone(),
        ..order.options.clone()
    };
    let finding = match Patient::connect(target, &options).await {
        Ok(open) => match open.ask(&["ACL", "WHOAMI"]).await {
            Err(Error::Permission) => Finding::ok(CHECK, "may do nothing without a password"),
            _ if patient.target.is_local() => Finding::new(
                CHECK,
                Severity::Warning,
                "anybody on this host comes in without a password",
            )
            .todo("ACL SETUSER default off, once every client has a user of its own"),
            _ => Finding::new(CHECK, Severity::Error, "anybody comes in without a password")
                .todo("ACL SETUSER default off, once every client has a user of its own"),
        },
        Err(Error::Authentication(_)) => Finding::ok(CHECK, "nobody comes in without a password"),
        Err(error) => Finding::new(CHECK, Severity::Info, format!("could not be tried: {error}")),
    };
    vec![finding.at(&patient.target)]
}

#[cfg(test)]
mod tests {
    use inval_redis::acl::Role;

    use super::*;

    #[test]
    fn every_pattern_has_a_name_that_matches_it() {
        let layout = Layout { partitions: 30, ..Layout::of(vec!["users".parse().unwrap()]) };
        let rules = Rules::new(Role::Admin, layout);
        assert_eq!(example(&rules, Part::Journal), ["inval:{users:1}:j", "inval:{users:11}:j"]);
        assert_eq!(example(&rules, Part::Config), ["inval:{users}:config"]);
        assert_eq!(example(&rules, Part::Entries)[0], "inval:{users:1}:k:0");
    }
}
