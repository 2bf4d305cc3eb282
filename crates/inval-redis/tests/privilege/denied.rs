//! Whatever a role does not need is denied: every other command of the server, every other key.

use std::collections::HashSet;

use inval_redis::acl::{Access, Need, Part, Role, Rules};
use inval_test_servers::{Reply, Server};

use super::users::{NAMESPACE, layout, name_of, set_user};
use crate::support::site::own_server;

/// Commands that a connection may always use: to log in, to end.
const OPEN_TO_ALL: [&str; 4] = ["auth", "hello", "quit", "reset"];
/// Namespaces that are not ours, and names that are no namespace's.
const OTHERS: [&str; 6] = ["users2", "user", "usersx", "Users", "users-0", "u"];
const FOREIGN: [&str; 9] = [
    "",
    "users",
    "inval:users",
    "inval:{users}:",
    "inval:{users:0}:",
    "inval:{users:1}:k:alice",
    "inval:{users:00}:k:alice",
    "xinval:{users:0}:k:alice",
    "inval:{users:0}:leases",
];

#[test]
fn every_other_command_is_denied() {
    let server = own_server(&[]);
    for role in Role::ALL {
        let rules = user(&server, role);
        let allowed: HashSet<&str> = rules.needs().iter().map(|need| &*need.command).collect();
        let commands = commands(&server);
        assert!(commands.len() > 300, "{}", commands.len());
        let mut seen = 0;
        // A command that has parts is none itself.
        let has_parts = |command: &str| {
            commands
                .iter()
                .any(|other| other.strip_prefix(command).is_some_and(|rest| rest.starts_with('|')))
        };
        for command in commands.iter().filter(|command| !has_parts(command)) {
            // What an argument opens is tried below; the rest of such a command is not open.
            let is_allowed = allowed.contains(&**command);
            seen += usize::from(is_allowed);
            if !is_allowed && !OPEN_TO_ALL.contains(&&**command) {
                let call = any_call(&server, command);
                assert_eq!(dry_run(&server, role, &call), Verdict::Denied, "{role}: {call:?}");
            }
        }
        let of_arguments = allowed.iter().filter(|command| command.starts_with("info|"));
        assert_eq!(
            seen + of_arguments.count(),
            allowed.len(),
            "{role} names a command there is not"
        );
        for call in
            [&["info"][..], &["info", "clients"], &["info", "server", "clients"], &["select", "1"]]
        {
            let call: Vec<_> = call.iter().map(|&word| word.to_owned()).collect();
            // A server looks at the first argument alone.
            let want = if call.len() == 3 { Verdict::Allowed } else { Verdict::Denied };
            assert_eq!(dry_run(&server, role, &call), want, "{role}: {call:?}");
        }
    }
}

#[test]
fn every_command_is_denied_on_every_key_it_is_not_needed_for() {
    let server = own_server(&[]);
    for role in Role::ALL {
        let rules = user(&server, role);
        for need in rules.needs().iter().filter(|need| !need.keys.is_empty()) {
            for part in Part::ALL {
                let is_needed = need.keys.iter().any(|(other, _)| *other == part);
                let want = if is_needed { Verdict::Allowed } else { Verdict::Denied };
                check(&server, role, need, &name_of(part, NAMESPACE), want);
                if part != Part::Listing {
                    for other in OTHERS {
                        check(&server, role, need, &name_of(part, other), Verdict::Denied);
                    }
                }
            }
            for name in FOREIGN {
                check(&server, role, need, name, Verdict::Denied);
            }
        }
    }
}

#[test]
fn no_key_of_an_entry_reaches_another_part() {
    let server = own_server(&[]);
    let ends = ["}:j", "}:a", "}:lease", "}:s", "}:config", "users:0}:lease", "*", "[0-9]"];
    for role in Role::ALL {
        let rules = user(&server, role);
        for need in rules.needs().iter().filter(|need| !need.keys.is_empty()) {
            let is_of_entries = need.keys.iter().any(|(part, _)| *part == Part::Entries);
            let want = if is_of_entries { Verdict::Allowed } else { Verdict::Denied };
            for end in ends {
                check(&server, role, need, &format!("inval:{{users:0}}:k:{end}"), want);
            }
        }
    }
}

#[test]
fn what_is_only_written_cannot_be_read() {
    let server = own_server(&[]);
    let _rules = user(&server, Role::Manager);
    let config = name_of(Part::Config, NAMESPACE);
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let check =
        |call: &[&str], want| assert_eq!(dry_run(&server, Role::Manager, &words(call)), want);
    check(&["set", &config, "text"], Verdict::Allowed);
    check(&["set", &config, "text", "GET"], Verdict::Denied);
    check(&["get", "inval:{users:0}:k:alice"], Verdict::Denied);
    check(&["evalsha", "0", "0"], Verdict::Allowed);
    check(&["eval", "return 1", "0"], Verdict::Denied);
}

fn user(server: &Server, role: Role) -> Rules {
    let rules = Rules::new(role, layout());
    set_user(server, role, &rules);
    rules
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Allowed,
    Denied,
}

fn check(server: &Server, role: Role, need: &Need, name: &str, want: Verdict) {
    assert_eq!(dry_run(server, role, &need.call(name)), want, "{role}: {} {name}", need.command);
}

/// Whether a user may do this, as the server says.
fn dry_run(server: &Server, role: Role, call: &[String]) -> Verdict {
    let mut command = ["ACL", "DRYRUN", role.name()].map(str::to_owned).to_vec();
    command.extend_from_slice(call);
    match server.command(&command).unwrap() {
        reply if reply.is_ok() => Verdict::Allowed,
        Reply::Bulk(text) => {
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("has no permissions"), "{text}");
            Verdict::Denied
        }
        other => panic!("{call:?}: {other:?}"),
    }
}

/// The names of all commands, with `|` before a part of one.
fn commands(server: &Server) -> Vec<String> {
    let names = server.command(&["COMMAND", "LIST"]).unwrap();
    names.items().iter().map(|name| name.text().unwrap().to_owned()).collect()
}

/// A call with as many words as the command takes at least.
fn any_call(server: &Server, command: &str) -> Vec<String> {
    let info = server.command(&["COMMAND", "INFO", command]).unwrap();
    let arity = info.items()[0].items()[1].int().unwrap().unsigned_abs() as usize;
    let mut words: Vec<String> = command.split('|').map(str::to_owned).collect();
    while words.len() < arity {
        words.push(name_of(Part::Entries, NAMESPACE));
    }
    words
}

#[test]
fn what_is_only_read_cannot_be_written() {
    let server = own_server(&[]);
    for role in Role::ALL {
        let rules = user(&server, role);
        for part in Part::ALL {
            let writes = |need: &&Need| {
                need.keys.iter().any(|(of, access)| *of == part && *access != Access::Read)
            };
            if rules.needs().iter().any(|need| writes(&need)) {
                continue;
            }
            for command in
                ["set", "append", "del", "unlink", "expire", "rename", "hset", "rpush", "restore"]
            {
                let call = any_call(&server, command);
                let mut call: Vec<_> = call.into_iter().take(1).collect();
                call.extend(["1"; 4].map(str::to_owned));
                call[1] = name_of(part, NAMESPACE);
                let arity_fits =
                    ["set", "del", "unlink", "rpush", "restore", "hset"].contains(&command);
                call.truncate(if arity_fits { 4 } else { 3 });
                assert_eq!(dry_run(&server, role, &call), Verdict::Denied, "{role}: {call:?}");
            }
        }
    }
}
