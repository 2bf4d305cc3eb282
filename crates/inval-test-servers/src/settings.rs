//! Renders a server's configuration file.

use std::path::Path;

use crate::options::{Endpoint, Options};
use crate::tls;

/// The user that [`Connection`](crate::Connection) logs in as, so that it works whatever a test does
/// to the others, and replicas and sentinels as well. Its password is no secret: the servers listen on
/// loopback alone.
pub const ADMIN: &str = "inval-test-servers";
pub(crate) const ADMIN_PASSWORD: &str = "inval-test-servers";

/// The name under which sentinels know the master.
pub(crate) const MASTER_NAME: &str = "inval-main";

/// What the server is among others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// On its own.
    Single,
    /// A node of a cluster, in which nothing has been assigned yet.
    ClusterNode,
    /// A replica of the master on this port.
    ReplicaOf(u16),
    /// A sentinel.
    Sentinel(Watch),
}

/// What a sentinel watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Watch {
    pub(crate) master: u16,
    pub(crate) quorum: usize,
}

/// Ports of one server; each has a bus port, but only nodes of a cluster use theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ports {
    pub(crate) client: u16,
    pub(crate) bus: u16,
    /// Where a door stands before the client port.
    pub(crate) door: Option<u16>,
}

impl Ports {
    /// The port that others are told.
    pub(crate) fn shown(self) -> u16 {
        self.door.unwrap_or(self.client)
    }
}

/// The configuration of a server that lives in `directory`.
pub(crate) fn render(options: &Options, role: Role, ports: Ports, directory: &Path) -> String {
    let mut lines = vec![
        "bind 127.0.0.1".to_owned(),
        "daemonize no".to_owned(),
        format!("dir {}", quoted(directory)),
        // The administrator's way in, past TLS.
        format!("unixsocket {}", quoted(&directory.join("server.sock"))),
        format!("user {ADMIN} on >{ADMIN_PASSWORD} ~* &* +@all"),
    ];
    lines.extend(listening(options.endpoint, ports.client, directory));
    match role {
        Role::Sentinel(watch) => lines.extend(watching(watch)),
        _ => lines.extend(storing(options, role, ports)),
    }
    lines.join("\n") + "\n"
}

fn listening(endpoint: Endpoint, port: u16, directory: &Path) -> Vec<String> {
    if endpoint != Endpoint::Tls {
        return vec![format!("port {port}")];
    }
    let paths = tls::Paths::within(directory);
    vec![
        "port 0".to_owned(),
        format!("tls-port {port}"),
        format!("tls-ca-cert-file {}", quoted(&paths.ca)),
        format!("tls-cert-file {}", quoted(&paths.certificate)),
        format!("tls-key-file {}", quoted(&paths.key)),
        "tls-auth-clients no".to_owned(),
        "tls-replication yes".to_owned(),
        "tls-cluster yes".to_owned(),
    ]
}

fn storing(options: &Options, role: Role, ports: Ports) -> Vec<String> {
    let mut lines: Vec<String> = [
        "save \"\"",
        "appendonly no",
        "enable-debug-command yes",
        // Replicas are wanted at once, not together.
        "repl-diskless-sync-delay 0",
    ]
    .map(str::to_owned)
    .into();
    lines.push(format!("masteruser {ADMIN}"));
    lines.push(format!("masterauth {ADMIN_PASSWORD}"));
    lines.extend(options.users.iter().map(|user| format!("user {user}")));
    if ports.door.is_some() {
        lines.extend(showing(ports, role, options.endpoint));
    }
    match role {
        Role::ClusterNode => lines.extend([
            "cluster-enabled yes".to_owned(),
            format!("cluster-port {}", ports.bus),
            "cluster-node-timeout 1500".to_owned(),
            // Replicas stay where the test has put them.
            "cluster-allow-replica-migration no".to_owned(),
        ]),
        Role::ReplicaOf(master) => lines.push(format!("replicaof 127.0.0.1 {master}")),
        Role::Single | Role::Sentinel(_) => {}
    }
    lines
}

/// Where a server tells others to reach it; any but a cluster's node may become a replica once.
fn showing(ports: Ports, role: Role, endpoint: Endpoint) -> Vec<String> {
    let shown = ports.shown();
    if role != Role::ClusterNode {
        return vec![
            "replica-announce-ip 127.0.0.1".to_owned(),
            format!("replica-announce-port {shown}"),
        ];
    }
    let tls = if endpoint == Endpoint::Tls { "-tls" } else { "" };
    vec![
        "cluster-announce-ip 127.0.0.1".to_owned(),
        format!("cluster-announce{tls}-port {shown}"),
        format!("cluster-announce-bus-port {}", ports.bus),
    ]
}

fn watching(watch: Watch) -> Vec<String> {
    vec![
        format!("sentinel monitor {MASTER_NAME} 127.0.0.1 {} {}", watch.master, watch.quorum),
        format!("sentinel down-after-milliseconds {MASTER_NAME} 1000"),
        format!("sentinel failover-timeout {MASTER_NAME} 5000"),
        format!("sentinel auth-user {MASTER_NAME} {ADMIN}"),
        format!("sentinel auth-pass {MASTER_NAME} {ADMIN_PASSWORD}"),
    ]
}

/// `path` as the configuration file takes it, spaces and all.
fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { client: 7001, bus: 7002, door: None };

    /// Lines that must and must not be there.
    fn check(options: &Options, role: Role, with: &[&str], without: &[&str]) {
        let door = options.has_door.then_some(7003);
        let settings = render(options, role, Ports { door, ..PORTS }, Path::new("/tmp/a b"));
        for line in with {
            assert!(settings.lines().any(|other| other == *line), "{line} is not in\n{settings}");
        }
        for word in without {
            assert!(!settings.contains(word), "{word} is in\n{settings}");
        }
    }

    #[test]
    fn nothing_is_saved_and_nobody_else_can_connect() {
        let with =
            ["bind 127.0.0.1", "port 7001", "save \"\"", "appendonly no", "dir \"/tmp/a b\""];
        check(&Options::redis(), Role::Single, &with, &["tls", "cluster", "replicaof", "7002"]);
    }

    #[test]
    fn tls_closes_the_plain_port() {
        let options = Options::redis().endpoint(Endpoint::Tls);
        check(&options, Role::Single, &["port 0", "tls-port 7001"], &["port 7001\nport"]);
    }

    #[test]
    fn each_role_has_its_settings() {
        let options = Options::redis().user("app on");
        check(&options, Role::ClusterNode, &["cluster-port 7002", "user app on"], &["sentinel "]);
        check(&options, Role::ReplicaOf(7009), &["replicaof 127.0.0.1 7009"], &["cluster"]);
        let watch = Watch { master: 7009, quorum: 2 };
        let monitor = "sentinel monitor inval-main 127.0.0.1 7009 2";
        check(&options, Role::Sentinel(watch), &[monitor], &["save", "user app"]);
    }

    #[test]
    fn others_are_told_of_the_door_and_the_server_listens_behind_it() {
        let options = Options::redis().behind_a_door();
        let with = ["port 7001", "replica-announce-port 7003"];
        check(&options, Role::ReplicaOf(7009), &with, &["cluster"]);
        let with = ["port 7001", "cluster-announce-port 7003", "cluster-announce-bus-port 7002"];
        check(&options, Role::ClusterNode, &with, &["replica-announce"]);
        let with = ["tls-port 7001", "cluster-announce-tls-port 7003"];
        check(&options.endpoint(Endpoint::Tls), Role::ClusterNode, &with, &["announce-port"]);
        let watch = Watch { master: 7009, quorum: 2 };
        check(&Options::redis().behind_a_door(), Role::Sentinel(watch), &["port 7001"], &["7003"]);
    }
}
