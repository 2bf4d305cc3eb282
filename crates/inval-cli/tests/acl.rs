//! The command `inval acl` from the outside: a server takes what it prints, and no password is in it.

#![cfg(test)]

use assert_cmd::Command;
use inval_test_servers::{Options, Reply, Server};

fn inval(args: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    let output = command.args(args.split_whitespace()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// What the user has but for its flags.
fn rights(server: &Server) -> Vec<Reply> {
    server.command(&["ACL", "GETUSER", "bob"]).unwrap().items()[2..].to_vec()
}

const DIGEST: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbd62a11ef721d1542d8";

#[test]
fn a_server_takes_the_rules_in_every_form() {
    let (code, rules, hint) =
        inval("acl --namespace users --namespace team-* --role app --user bob");
    assert_eq!((code, rules.lines().count()), (0, 1));
    assert!(hint.contains("<sha256>"), "{hint}");
    let user =
        rules.trim().strip_prefix("user ").unwrap().replace("#<sha256>", &format!("#{DIGEST}8"));
    let server = Server::start(Options::redis().user(&user)).unwrap();
    let of_file = rights(&server);

    let (_, command, _) = inval("acl -n users -n team-* --role app --user bob --output setuser");
    let command = command.replace("<sha256>", &format!("{DIGEST}8"));
    let words: Vec<_> = command
        .trim()
        .split('"')
        .enumerate()
        .flat_map(|(at, text)| match at % 2 {
            0 => text.split_whitespace().collect(),
            _ => vec![text],
        })
        .collect();
    assert!(server.command(&words).unwrap().is_ok(), "{words:?}");
    assert!(rights(&server) == of_file);

    let (_, json, hint) = inval("acl -n users -n team-* --role app --user bob --output json");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rules: Vec<_> =
        report["rules"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    let digest = format!("#{DIGEST}8");
    let words = [&["ACL", "SETUSER", "bob", "reset", "on", &digest], &rules[..]].concat();
    assert!(server.command(&words).unwrap().is_ok());
    assert!(rights(&server) == of_file);
    assert_eq!((report["namespaces"][1].as_str(), hint.as_str()), (Some("team-*"), ""));
}

#[test]
fn what_is_no_role_namespace_or_user_is_refused() {
    let check = |args: &str, want: &str| {
        let (code, out, error) = inval(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args}");
        assert!(error.contains(want), "{args}: {error}");
    };
    check("acl --role app", "--namespace");
    check("acl -n users", "--role");
    check("acl -n users --role boss", "app, reader, manager or admin");
    check("acl -n users:0}:k --role app", "in a pattern of names");
    check("acl -n users --role app --user a(b", "letters, digits");
    check("acl -n users --role app --partitions 0", "1..=16384");
}
