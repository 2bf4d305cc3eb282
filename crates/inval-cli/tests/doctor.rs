//! The command `inval doctor` from the outside, on real servers: what it finds, its exit code, and that it changes nothing.

#![cfg(test)]

use std::time::{Duration, Instant};

use assert_cmd::Command;
use inval_redis::acl::{Layout, Role, Rules};
use inval_test_servers::{Cluster, Endpoint, Options, Server};
use serde_json::Value;

/// Exit code, findings, everything that was printed.
struct Report {
    code: i32,
    findings: Vec<Value>,
    text: String,
}

fn doctor(args: &[&str]) -> Report {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    command.args(["doctor", "--watch", "0s", "--output", "json"]).args(args);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (json, error) = (text(&output.stdout), text(&output.stderr));
    let report: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}{error}"));
    let findings = report["findings"].as_array().unwrap().clone();
    Report { code: output.status.code().unwrap(), findings, text: json + &error }
}

impl Report {
    /// How bad a check came out, at worst.
    fn severity(&self, check: &str) -> &str {
        let all = ["error", "warning", "info", "ok"];
        let of_check = || self.findings.iter().filter(|finding| finding["check"] == check);
        let found =
            all.into_iter().find(|name| of_check().any(|finding| finding["severity"] == *name));
        found.unwrap_or_else(|| panic!("{check} is not in {}", self.text))
    }
}

/// Rules that let a user look at everything, besides those of a role.
const LOOKS: &str =
    "+info +acl|whoami +acl|dryrun +slowlog|len +latency|latest +time +ping +exists";

fn user(role: Role, more: &str) -> String {
    let layout = Layout::of(vec!["users".parse().unwrap()]);
    let rules = Rules::new(role, layout).words().join(" ");
    format!("{role} on >hush {rules} {more}")
}

fn url(server: &Server, login: &str) -> String {
    server.url().replace("://", &format!("://{login}@"))
}

/// A server with a namespace that somebody manages.
fn sound(more: &str) -> Server {
    let options = Options::redis().args(["--maxmemory", "100mb"]);
    let server = Server::start(options.user("default off").user(&user(Role::Admin, more))).unwrap();
    let config = "1 strategy=lru max_entries=100 max_bytes=- ttl_ms=- time_to_idle_ms=- partitions=1 \
                  journal_cap=100 ttl_jitter=0";
    for command in [
        &["SET", "inval:{users}:config", config][..],
        &["SET", "inval:{users:0}:lease", "1:somebody"],
        &["HSET", "inval:{users:0}:s", "entries", "0"],
    ] {
        assert!(!format!("{:?}", server.command(command).unwrap()).contains("Error"));
    }
    server
}

fn credentials(directory: &tempfile::TempDir, text: &str) -> String {
    let path = directory.path().join("login");
    std::fs::write(&path, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_sound_server_is_found_sound_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = credentials(&directory, "admin\nhush\n");
    for looks in [LOOKS, ""] {
        let server = sound(looks);
        let before = server.command(&["DEBUG", "DIGEST"]).unwrap();
        let report = doctor(&["--store", &server.url(), "--store-credentials", &file]);
        assert_eq!(report.code, 0, "{}", report.text);
        assert_eq!(server.command(&["DEBUG", "DIGEST"]).unwrap(), before);
        let info = if looks.is_empty() { "info" } else { "ok" };
        for (check, want) in
            [("agreement", "ok"), ("journal", info), ("default user", "ok"), ("manager", "ok")]
        {
            // The journal is the admin's to look at as well.
            let want = if check == "journal" { "ok" } else { want };
            assert_eq!(report.severity(check), want, "{check}: {}", report.text);
        }
        if !looks.is_empty() {
            for check in
                ["user", "rights", "eviction policy", "evictions", "version", "clock", "latency"]
            {
                assert_eq!(report.severity(check), "ok", "{check}: {}", report.text);
            }
        }
        assert!(!report.text.contains("hush"), "{}", report.text);
    }
}

#[test]
fn what_a_server_may_evict_by_itself_is_told() {
    let check = |policy: &str, want: &str, code: i32| {
        let server =
            Server::with_args(&["--maxmemory", "100mb", "--maxmemory-policy", policy]).unwrap();
        let report = doctor(&["--store", &server.url()]);
        assert_eq!(
            (report.severity("eviction policy"), report.code),
            (want, code),
            "{}",
            report.text
        );
    };
    check("allkeys-lru", "error", 7);
    check("volatile-lru", "warning", 6);
    check("noeviction", "ok", 6);
}

#[test]
fn an_open_default_user_is_told_and_so_is_a_user_with_all_rights() {
    let server = Server::redis().unwrap();
    let report = doctor(&["--store", &server.url()]);
    assert_eq!(report.severity("default user"), "warning");
    assert_eq!((report.severity("user"), report.severity("rights")), ("warning", "ok"));
    assert_eq!(report.code, 6, "{}", report.text);

    let server = Server::start(Options::redis().password("hush")).unwrap();
    let report = doctor(&["--store", &url(&server, ":hush")]);
    assert_eq!(report.severity("default user"), "ok");
    assert_eq!(report.severity("password"), "warning", "it stands in the arguments");
    assert!(!report.text.contains("hush"), "{}", report.text);
}

#[test]
fn what_a_user_lacks_is_told() {
    let options = Options::redis().user(&user(Role::Reader, LOOKS));
    let server = Server::start(options).unwrap();
    assert!(server.command(&["SET", "inval:{users}:config", "none"]).unwrap().is_ok());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("inval.toml");
    let text = format!(
        "store = \"{}\"\n[namespaces.users]\nmax_entries = 5\n",
        url(&server, "reader:hush")
    );
    std::fs::write(&file, text).unwrap();
    let rights = |role: &str| {
        let report = doctor(&["--config", file.to_str().unwrap(), "--role", role]);
        assert_eq!(report.severity("namespaces"), "info", "it cannot list: {}", report.text);
        assert_eq!(report.severity("agreement"), "error", "{}", report.text);
        report.severity("rights").to_owned()
    };
    assert_eq!((&*rights("reader"), &*rights("app")), ("ok", "error"));
}

#[test]
fn namespaces_are_compared_with_the_file() {
    let server = sound(LOOKS);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("inval.toml");
    let check = |namespace: &str, agreement: &str, manager: &str, code: i32| {
        let login = credentials(&directory, "admin\nhush\n");
        let store = format!("store = \"{}\"\nstore_credentials = \"{login}\"\n", server.url());
        std::fs::write(
            &file,
            format!("{store}[namespaces.users]\nstrategy = \"lru\"\n{namespace}\n"),
        )
        .unwrap();
        let report = doctor(&["--config", file.to_str().unwrap()]);
        let found = (report.severity("agreement"), report.severity("manager"), report.code);
        assert_eq!(found, (agreement, manager, code), "{}", report.text);
    };
    check("max_entries = 100", "ok", "ok", 0);
    check("max_entries = 101", "warning", "ok", 6);
    server.command(&["DEL", "inval:{users:0}:lease"]).unwrap();
    check("max_entries = 100", "ok", "warning", 6);
    server.command(&["SET", "inval:{users}:config", "who knows"]).unwrap();
    let report = doctor(&["--config", file.to_str().unwrap()]);
    assert_eq!((report.severity("agreement"), report.code), ("error", 7));
}

#[test]
fn tls_is_noticed() {
    let server = Server::with_tls().unwrap();
    let authority = server.ca_certificate().unwrap();
    let report =
        doctor(&["--store", &server.url(), "--ca-certificate", authority.to_str().unwrap()]);
    assert_eq!(report.severity("encryption"), "ok", "{}", report.text);
    assert!(report.text.contains("TLS"), "{}", report.text);
    let report = doctor(&["--store", &server.url()]);
    assert_eq!((report.severity("connection"), report.code), ("error", 7), "{}", report.text);
}

#[test]
fn a_cluster_without_one_of_its_nodes_is_ill() {
    let cluster = Cluster::start(3, 0).unwrap();
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| node.address().to_string()).collect();
    let target = format!("redis+cluster://{}", nodes.join(","));
    let report = doctor(&["--store", &target]);
    assert_eq!((report.severity("cluster"), report.code), ("ok", 6), "{}", report.text);
    assert_eq!(report.findings.iter().filter(|finding| finding["check"] == "version").count(), 3);

    cluster.kill(1).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let fails = || format!("{:?}", cluster.node(0).command(&["CLUSTER", "INFO"]));
    while !cluster
        .node(0)
        .command(&["CLUSTER", "INFO"])
        .unwrap()
        .text()
        .unwrap()
        .contains("cluster_state:fail")
    {
        assert!(Instant::now() < deadline, "{}", fails());
        std::thread::sleep(Duration::from_millis(20));
    }
    let report = doctor(&["--store", &target]);
    assert_eq!((report.severity("connection"), report.code), ("error", 4), "{}", report.text);
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let server = Server::redis().unwrap();
    server.kill().unwrap();
    let report = doctor(&["--store", &server.url()]);
    assert_eq!((report.severity("connection"), report.code), ("error", 4), "{}", report.text);
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    let output = command.arg("doctor").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_unix_socket_and_a_table_work_as_well() {
    let server = Server::start(Options::redis().endpoint(Endpoint::Unix)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    let output =
        command.args(["doctor", "--watch", "0s", "--store", &server.url()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
    assert!(has_line("ok       encryption") && has_line("warning  default user"), "{text}");
    assert!(text.contains("-> ACL SETUSER default off"), "{text}");
}
