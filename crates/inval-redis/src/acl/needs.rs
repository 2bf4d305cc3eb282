//! Which commands each role sends, itself or inside scripts, and to which keys.

use super::Access::{Read, ReadWrite, Write};
use super::Part::{Accesses, Accounts, Config, Entries, Journal, Lease, Listing};
use super::{Access, Deployment, Layout, Part, Reading, Role};

/// A command, and what it does to which keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// The command as rules write it, such as `get` or `object|idletime`.
    pub command: String,
    /// The kinds of keys it is used on, and how. None for a command that names no keys.
    pub keys: Vec<(Part, Access)>,
}

type Keys = &'static [(Part, Access)];

/// What reading and telling of it takes, besides the one command that reads a value.
const READS: &[(&str, Keys)] = &[
    ("exists", &[(Entries, Read)]),
    ("get", &[(Config, Read)]),
    ("hget", &[(Accounts, Read)]),
    ("hgetall", &[(Accounts, Read)]),
    ("hincrby", &[(Accounts, ReadWrite)]),
    ("ltrim", &[(Accesses, Write)]),
    ("object|idletime", &[(Entries, Read)]),
    ("pttl", &[(Entries, Read)]),
    ("rpush", &[(Accesses, Write)]),
];
const PLAIN: &[(&str, Keys)] = &[("get", &[(Entries, Read)]), ("mget", &[(Entries, Read)])];
const IDLE: &[(&str, Keys)] = &[("getex", &[(Entries, ReadWrite)])];

/// What writing takes besides, with the script that drops a journal beyond its cap.
const WRITES: &[(&str, Keys)] = &[
    ("evalsha", &[(Journal, ReadWrite), (Accounts, ReadWrite)]),
    ("exec", &[]),
    ("exists", &[(Accounts, Read)]),
    ("llen", &[(Journal, Read)]),
    ("multi", &[]),
    ("rpush", &[(Journal, Write)]),
    ("scan", &[]),
    ("script|load", &[]),
    ("set", &[(Entries, Write)]),
    ("unlink", &[(Entries, Write), (Journal, Write)]),
];

/// What upkeep takes, with the scripts for the lease, for steps and for changes of the configuration.
const UPKEEP: &[(&str, Keys)] = &[
    ("del", &[(Lease, Write)]),
    (
        "evalsha",
        &[
            (Entries, ReadWrite),
            (Journal, ReadWrite),
            (Lease, ReadWrite),
            (Accounts, ReadWrite),
            (Config, ReadWrite),
        ],
    ),
    ("exists", &[(Entries, Read), (Accounts, Read)]),
    ("get", &[(Lease, Read), (Config, Read)]),
    ("hgetall", &[(Accounts, Read)]),
    ("hmget", &[(Accounts, Read)]),
    ("hset", &[(Accounts, Write)]),
    ("lindex", &[(Journal, Read)]),
    ("llen", &[(Journal, Read)]),
    ("lpop", &[(Accesses, ReadWrite)]),
    ("lrange", &[(Journal, Read)]),
    ("ltrim", &[(Journal, Write)]),
    ("object|freq", &[(Entries, Read)]),
    ("object|idletime", &[(Entries, Read)]),
    ("pexpire", &[(Lease, Write)]),
    ("pttl", &[(Entries, Read), (Lease, Read)]),
    ("scan", &[]),
    ("script|load", &[]),
    ("set", &[(Lease, Write), (Config, Write)]),
    ("strlen", &[(Entries, Read)]),
    ("time", &[]),
    ("unlink", &[(Entries, Write)]),
];

/// What listing and deleting namespaces takes besides all that.
const REIGN: &[(&str, Keys)] = &[
    ("exists", &[(Listing, Read)]),
    (
        "unlink",
        &[(Journal, Write), (Accesses, Write), (Lease, Write), (Accounts, Write), (Config, Write)],
    ),
];

/// What every connection to a server begins with, and what calls in a Cluster take.
const CONNECTION: &[(&str, Keys)] = &[("info|server", &[]), ("ping", &[])];
const BEHIND_SENTINEL: &[(&str, Keys)] = &[("info|server", &[]), ("role", &[])];
const IN_CLUSTER: &[(&str, Keys)] =
    &[("asking", &[]), ("cluster|slots", &[]), ("exec", &[]), ("multi", &[])];

/// What `role` needs, a command perhaps several times.
pub(super) fn of(role: Role, layout: &Layout) -> Vec<Need> {
    let values = match layout.reading {
        Reading::Plain => PLAIN,
        Reading::Idle => IDLE,
    };
    let mut tables = match layout.deployment {
        Deployment::Single => vec![CONNECTION],
        Deployment::Sentinel => vec![BEHIND_SENTINEL],
        Deployment::Cluster => vec![CONNECTION, IN_CLUSTER],
    };
    match role {
        Role::Reader => tables.extend([READS, values]),
        Role::App => tables.extend([READS, values, WRITES]),
        Role::Manager => tables.push(UPKEEP),
        Role::Admin => tables.extend([READS, values, WRITES, UPKEEP, REIGN]),
    }
    let need =
        |&(command, keys): &(&str, Keys)| Need { command: command.to_owned(), keys: keys.to_vec() };
    let mut needs: Vec<Need> = tables.into_iter().flatten().map(need).collect();
    if layout.db != 0 {
        needs.push(Need { command: format!("select|{}", layout.db), keys: Vec::new() });
    }
    needs
}

impl Need {
    /// A call of the command on a key of this name, by which a server can be asked whether a user may do it.
    pub fn call(&self, name: &str) -> Vec<String> {
        let mut words: Vec<&str> = self.command.split('|').collect();
        let before: &[&str] = if self.command == "evalsha" { &[NO_SCRIPT, "1"] } else { &[] };
        words.extend(before);
        if !self.keys.is_empty() {
            words.push(name);
        }
        let after: &[&str] = match &*self.command {
            "hget" | "hmget" | "lindex" => &["0"],
            "hincrby" | "hset" => &["field", "1"],
            "lrange" | "ltrim" => &["0", "1"],
            "pexpire" | "rpush" | "set" => &["1"],
            "scan" => &["0"],
            "script|load" => &["return 1"],
            _ => &[],
        };
        words.extend(after);
        words.into_iter().map(str::to_owned).collect()
    }
}

/// The digest of no script.
const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";
