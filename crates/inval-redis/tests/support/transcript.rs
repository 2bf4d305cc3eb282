//! What a server was told, as its `MONITOR` saw it.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use inval_test_servers::{Connection, Server};

const END: &str = "end-of-transcript";

/// A transcript under way.
pub(crate) struct Transcript {
    monitor: Connection,
}

/// One command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    /// Whether a script gave it.
    pub(crate) by_script: bool,
    /// Whether it came from the tests' administrator, not from a client under test.
    pub(crate) by_administrator: bool,
    /// Command and arguments, the bytes that are no text as the server escapes them.
    pub(crate) words: Vec<String>,
}

impl Line {
    pub(crate) fn command(&self) -> String {
        self.words.first().map(|word| word.to_uppercase()).unwrap_or_default()
    }

    pub(crate) fn names(&self, what: &str) -> bool {
        self.words.iter().any(|word| word.contains(what))
    }
}

impl Transcript {
    pub(crate) fn of(server: &Server) -> Self {
        let mut monitor = server.connect().unwrap();
        assert!(monitor.command(&["MONITOR"]).unwrap().is_ok());
        Self { monitor }
    }

    /// Everything up to now.
    pub(crate) fn end(mut self, server: &Server) -> Vec<Line> {
        server.command(&["ECHO", END]).unwrap();
        let mut lines = Vec::new();
        loop {
            let line = parse(self.monitor.receive().unwrap().text().unwrap());
            if line.names(END) {
                return lines;
            }
            lines.push(line);
        }
    }
}

/// `1700000000.000000 [0 127.0.0.1:5000] "GET" "a \"word\""`
fn parse(line: &str) -> Line {
    let (_, rest) = line.split_once('[').unwrap();
    let (from, commands) = rest.split_once("] ").unwrap();
    let mut words = Vec::new();
    let mut characters = commands.chars();
    while characters.by_ref().any(|c| c == '"') {
        let mut word = String::new();
        while let Some(c) = characters.next().filter(|c| *c != '"') {
            word.push(c);
            if c == '\\' {
                match characters.next() {
                    Some('"') => word.replace_range(word.len() - 1.., "\""),
                    Some('\\') => {}
                    Some(other) => word.push(other),
                    None => break,
                }
            }
        }
        words.push(word);
    }
    let (by_script, by_administrator) = (from.ends_with("lua"), from.contains("unix:"));
    Line { by_script, by_administrator, words }
}
