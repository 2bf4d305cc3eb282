//! How servers belong together: encryption on the way, primaries and replicas, the nodes of a Cluster.

use inval_redis::{Error, Target};
use redis::Value;

use super::finding::{Finding, Severity};
use super::patient::{Info, Patient, text};

/// Whether others can listen.
pub(super) fn encryption(target: &Target) -> Finding {
    const CHECK: &str = "encryption";
    let finding = match (target.is_encrypted(), target.is_local()) {
        (true, _) => Finding::ok(CHECK, "TLS"),
        (false, true) => Finding::ok(CHECK, "none, and nothing leaves this host"),
        (false, false) => {
            Finding::new(CHECK, Severity::Warning, "none: keys, values and passwords can be read")
                .todo("use rediss:// and a server with a tls-port")
        }
    };
    finding.at(target)
}

/// Whether the server takes writes, and its replicas follow.
pub(super) fn replication(info: &Info) -> Vec<Finding> {
    const CHECK: &str = "replication";
    let is_replica = info.text("role") == Some("slave");
    if is_replica {
        return vec![
            Finding::new(CHECK, Severity::Error, "the server is a replica and takes no writes")
                .todo("name its primary, or use redis+sentinel://"),
        ];
    }
    let replicas = info.number("connected_slaves").unwrap_or(0.0);
    let lagging = (0..replicas as u32).filter(|number| {
        let line = info.text(&format!("slave{number}")).unwrap_or_default();
        !line.contains("state=online")
    });
    match lagging.count() {
        0 => vec![Finding::ok(CHECK, format!("a primary with {replicas} replicas"))],
        count => vec![
            Finding::new(
                CHECK,
                Severity::Warning,
                format!("{count} of {replicas} replicas do not follow"),
            )
            .todo("look at the replicas' logs"),
        ],
    }
}

/// Whether a server that was reached by `named` is reached as it should be.
pub(super) fn mode(info: &Info, named: &Target) -> Finding {
    const CHECK: &str = "mode";
    match (info.text("cluster_enabled") == Some("1"), named.is_cluster()) {
        (true, false) => {
            Finding::new(CHECK, Severity::Error, "a node of a Cluster, reached as a single server")
                .todo("use redis+cluster:// to be led to the node that has a key")
        }
        (true, true) => Finding::ok(CHECK, "a node of a Cluster"),
        (false, _) => Finding::ok(CHECK, "a server of its own"),
    }
}

/// Whether a Cluster serves all slots.
pub(super) async fn cluster(patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "cluster";
    let finding = match patient.ask(&["CLUSTER", "INFO"]).await {
        Ok(reply) => {
            let text = text(&reply).unwrap_or_default();
            let field = |name: &str| {
                text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or("0")
            };
            let (state, assigned) = (field("cluster_state:"), field("cluster_slots_ok:"));
            let is = format!("{state}: {assigned} of 16384 slots are served");
            match (state, assigned) {
                ("ok", "16384") => Finding::ok(CHECK, is),
                _ => Finding::new(CHECK, Severity::Error, is)
                    .todo("bring the nodes back that are down, or have replicas take their place"),
            }
        }
        Err(Error::Permission) => Finding::hidden(CHECK, "CLUSTER INFO"),
        Err(error) => Finding::new(CHECK, Severity::Error, error.to_string())
            .todo("bring the nodes back that are down"),
    };
    vec![finding.at(&patient.target)]
}

/// The primaries that have slots, as far as the Cluster tells.
pub(super) async fn nodes(patient: &Patient) -> Vec<Target> {
    let Ok(Value::Array(ranges)) = patient.ask(&["CLUSTER", "SLOTS"]).await else {
        return Vec::new();
    };
    let mut nodes = Vec::new();
    for range in &ranges {
        let Value::Array(parts) = range else { continue };
        let Some(Value::Array(primary)) = parts.get(2) else { continue };
        let [host, Value::Int(port), ..] = &**primary else { continue };
        let host = text(host).filter(|host| !host.is_empty());
        if let Some((host, port)) = host.zip(u16::try_from(*port).ok()) {
            let node = patient.target.of_node(&host, port);
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_matters_where_others_can_listen() {
        let check = |text: &str, want| {
            assert_eq!(encryption(&text.parse().unwrap()).severity, want, "{text}");
        };
        check("redis://127.0.0.1", Severity::Ok);
        check("redis://[::1]", Severity::Ok);
        check("redis://localhost", Severity::Ok);
        check("unix:///run/redis.sock", Severity::Ok);
        check("rediss://cache.example.org", Severity::Ok);
        check("redis://cache.example.org", Severity::Warning);
        check("redis+cluster://127.0.0.1,10.0.0.1", Severity::Warning);
    }

    #[test]
    fn a_node_of_a_cluster_is_to_be_reached_as_one() {
        let check = |enabled: &str, named: &str, want| {
            let info = Info::example(&[("cluster_enabled", enabled)]);
            assert_eq!(mode(&info, &named.parse().unwrap()).severity, want, "{enabled} {named}");
        };
        check("0", "redis://a", Severity::Ok);
        check("1", "redis+cluster://a", Severity::Ok);
        check("1", "redis://a", Severity::Error);
    }

    #[test]
    fn a_replica_is_wrong_and_one_that_lags_is_to_be_looked_at() {
        let check = |fields: &[(&str, &str)], want| {
            assert_eq!(replication(&Info::example(fields))[0].severity, want, "{fields:?}");
        };
        check(&[("role", "master")], Severity::Ok);
        check(&[("role", "slave")], Severity::Error);
        let online = ("slave0", "ip=10.0.0.1,port=6379,state=online,offset=1,lag=0");
        check(&[("role", "master"), ("connected_slaves", "1"), online], Severity::Ok);
        check(&[("role", "master"), ("connected_slaves", "2"), online], Severity::Warning);
    }
}
