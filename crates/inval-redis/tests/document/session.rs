//! The session with `redis-cli` that the document shows, run as it stands there.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use inval_core::{Budget, Store, Strategy};
use inval_redis::Cache;
use inval_test_servers::Server;

use crate::support::patience::until;
use crate::support::site::{Site, limited, own_server};

const DOCUMENT: &str = include_str!("../../../../docs/redis-keyspace.md");
const BUDGET: Budget = Budget::within(Duration::from_millis(10));

/// A block of the document: commands with the lines that `redis-cli` answers.
type Block = Vec<(String, Vec<String>)>;

/// The blocks of `console` under a heading.
fn blocks(heading: &str) -> Vec<Block> {
    let start = format!("\n{heading}\n");
    let section = DOCUMENT.split_once(&start).unwrap().1;
    let section = section.split("\n## ").next().unwrap();
    let fenced = section.split("```console\n").skip(1);
    fenced.map(|text| block(text.split_once("```").unwrap().0)).collect()
}

fn block(text: &str) -> Block {
    let mut block: Block = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("> "), block.last_mut()) {
            (Some(command), _) => block.push((command.to_owned(), Vec::new())),
            (None, Some((_, reply))) => reply.push(line.to_owned()),
            (None, None) => panic!("a reply without a command: {line}"),
        }
    }
    block
}

/// `redis-cli` on a server, as if at a terminal.
struct Terminal {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Terminal {
    fn open(server: &Server) -> Self {
        let mut process = Command::new("redis-cli")
            .args(["--no-raw", "-p", &server.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-cli is installed by cargo xtask servers");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, input, output }
    }

    /// The first lines of what is answered, as many as are expected.
    fn answer(&mut self, command: &str, count: usize) -> Vec<String> {
        writeln!(self.input, "{command}").unwrap();
        let mut lines = vec![String::new(); count];
        for line in &mut lines {
            self.output.read_line(line).unwrap();
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    fn run(&mut self, block: &Block) {
        for (command, reply) in block {
            assert_eq!(self.answer(command, reply.len()), *reply, "{command}");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

#[tokio::test]
async fn what_the_document_shows_happens() {
    let mut site = Site::new(own_server(&[]), limited(3).strategy(Strategy::Lru));
    site.namespace = "shop".parse().unwrap();
    let cache = site.open().await;
    let mut terminal = Terminal::open(site.server());
    let blocks = blocks("## A session");
    assert!(blocks.len() > 5);
    for block in &blocks {
        // The manager works between two blocks.
        work_off(&site, &cache).await;
        terminal.run(block);
    }
}

async fn work_off(site: &Site, cache: &Cache) {
    until("all is booked", async || {
        let slice = cache.maintain(0, BUDGET).await.unwrap();
        site.journal_len() == 0 && slice.records + slice.evicted == 0 && slice.excess.entries == 0
    })
    .await;
    // What was done last is told with the next step.
    until("it is told", async || {
        let before = cache.accounts(0).await.unwrap();
        cache.maintain(0, BUDGET).await.unwrap();
        cache.accounts(0).await.unwrap().steps > before.steps
    })
    .await;
}

#[test]
fn partitions_and_slots_are_those_of_the_document() {
    let server = own_server(&["--cluster-enabled", "yes"]);
    let mut terminal = Terminal::open(&server);
    for block in blocks("## Partitions and slots") {
        terminal.run(&block);
    }
}
