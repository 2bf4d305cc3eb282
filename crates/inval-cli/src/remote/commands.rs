//! What the servers of a namespace have worked so far, by kind of command, as `INFO` tells it.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use inval_redis::{Client, Repeat};
use redis::Value;

use super::names::Names;

/// The commands that read a value.
const READS: [&str; 3] = ["get", "getex", "mget"];
/// What a write and the manager send. None of these runs inside another, and `exec` and `evalsha` count
/// with what runs inside them (`set`, `rpush`, `unlink`, `object`, …): so nothing is counted twice, and
/// what has no command of its own here belongs to one that has.
const WRITES: [&str; 7] = ["multi", "exec", "evalsha", "exists", "lrange", "lpop", "scan"];

/// The counters of all nodes that hold a part of a namespace, by the identity of their process.
#[derive(Debug)]
pub(super) struct Commands {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Node {
    is_of_cluster: bool,
    spent: Spent,
}

/// What was spent on reads and on writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Spent {
    reads: u64,
    reads_us: u64,
    writes_us: u64,
}

impl Commands {
    /// Asks the nodes; `None` if they do not tell, for which the user may lack the right.
    pub(super) async fn read(client: &Client, names: &Names) -> Option<Self> {
        let mut nodes = BTreeMap::new();
        for names in names.partitions() {
            // The first command leads to the node that has the partition.
            let mut pipe = redis::pipe();
            pipe.cmd("STRLEN").arg(names.lease());
            pipe.cmd("INFO").arg("all");
            let replies = client.pipeline(&pipe, Repeat::Safe).await.ok()?;
            let (id, node) = node_of(replies.get(1)?)?;
            nodes.insert(id, node);
        }
        Some(Self { nodes })
    }

    pub(super) fn is_of_cluster(&self) -> bool {
        self.nodes.values().any(|node| node.is_of_cluster)
    }

    /// What was spent since `before`; `None` if other nodes told then, or counters were set back.
    pub(super) fn since(&self, before: &Self) -> Option<Spent> {
        if !self.nodes.keys().eq(before.nodes.keys()) {
            return None;
        }
        let mut spent = Spent::default();
        for (now, then) in self.nodes.values().zip(before.nodes.values()) {
            spent += now.spent.since(then.spent)?;
        }
        Some(spent)
    }
}

impl Spent {
    /// Microseconds for a read.
    pub(super) fn us_per_read(self) -> Option<f64> {
        (self.reads > 0).then(|| self.reads_us as f64 / self.reads as f64)
    }

    /// Microseconds for each of `writes`.
    pub(super) fn us_per_write(self, writes: u64) -> Option<f64> {
        (writes > 0).then(|| self.writes_us as f64 / writes as f64)
    }

    fn since(self, before: Self) -> Option<Self> {
        Some(Self {
            reads: self.reads.checked_sub(before.reads)?,
            reads_us: self.reads_us.checked_sub(before.reads_us)?,
            writes_us: self.writes_us.checked_sub(before.writes_us)?,
        })
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.reads += other.reads;
        self.reads_us += other.reads_us;
        self.writes_us += other.writes_us;
    }
}

fn node_of(info: &Value) -> Option<(String, Node)> {
    let text = match info {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?,
        Value::VerbatimString { text, .. } => text,
        _ => return None,
    };
    parse(text)
}

/// The identity of a server's process, and its counters.
fn parse(info: &str) -> Option<(String, Node)> {
    let (mut id, mut node) = (None, Node::default());
    for (field, value) in info.lines().filter_map(|line| line.split_once(':')) {
        match field {
            "run_id" => id = Some(value.to_owned()),
            "cluster_enabled" => node.is_of_cluster = value == "1",
            _ => {
                let Some(command) = field.strip_prefix("cmdstat_") else { continue };
                let part = |name: &str| {
                    let mut parts = value.split(',').filter_map(|part| part.split_once('='));
                    parts.find(|(part, _)| *part == name)?.1.parse::<u64>().ok()
                };
                let us = part("usec")?;
                if READS.contains(&command) {
                    node.spent += Spent { reads: part("calls")?, reads_us: us, writes_us: 0 };
                } else if WRITES.contains(&command) {
                    node.spent.writes_us += us;
                }
            }
        }
    }
    Some((id?, node))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n\r\n# Commandstats\r\n\
        cmdstat_get:calls=10,usec=15,usec_per_call=1.50,rejected_calls=0,failed_calls=0\r\n\
        cmdstat_set:calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0\r\n\
        cmdstat_exec:calls=3,usec=21,usec_per_call=7.00,rejected_calls=0,failed_calls=0\r\n\
        cmdstat_evalsha:calls=1,usec=4,usec_per_call=4.00,rejected_calls=0,failed_calls=0\r\n\
        cmdstat_config|get:calls=1,usec=99,usec_per_call=99.00\r\n\r\n# Cluster\r\n\
        cluster_enabled:0\r\n";

    fn commands(info: &[&str]) -> Commands {
        Commands { nodes: info.iter().map(|info| parse(info).unwrap()).collect() }
    }

    #[test]
    fn commands_inside_others_are_not_counted_again() {
        let spent = Spent { reads: 10, reads_us: 15, writes_us: 25 };
        assert_eq!(parse(INFO), Some(("abc".to_owned(), Node { is_of_cluster: false, spent })));
        assert_eq!((spent.us_per_read(), spent.us_per_write(10)), (Some(1.5), Some(2.5)));
        assert_eq!((Spent::default().us_per_read(), spent.us_per_write(0)), (None, None));
    }

    #[test]
    fn differences_are_taken_between_the_same_processes() {
        let later = INFO.replace("usec=15", "usec=20").replace("calls=10", "calls=12");
        let other = INFO.replace("abc", "def");
        let check = |after: &[&str], before: &[&str], want| {
            assert_eq!(commands(after).since(&commands(before)), want);
        };
        check(&[&later], &[INFO], Some(Spent { reads: 2, reads_us: 5, writes_us: 0 }));
        check(
            &[&later, &other],
            &[INFO, &other],
            Some(Spent { reads: 2, reads_us: 5, ..Spent::default() }),
        );
        check(&[&other], &[INFO], None);
        check(&[INFO], &[&later], None);
    }

    #[test]
    fn what_tells_no_identity_or_makes_no_sense_is_nothing() {
        let check = |from: &str, to: &str| assert_eq!(parse(&INFO.replace(from, to)), None);
        check("run_id:abc", "");
        check("usec=15", "usec=x");
        assert!(commands(&[&INFO.replace("enabled:0", "enabled:1")]).is_of_cluster());
    }
}
