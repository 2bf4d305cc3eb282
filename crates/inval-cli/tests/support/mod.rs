//! A daemon that plays answers and records what it was asked.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Method and path with its query.
    pub(crate) line: String,
    /// Headers by name, in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An answer to play.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Answers one request after the other, each on a connection of its own.
pub(crate) struct Daemon {
    pub(crate) url: String,
    asked: Receiver<Asked>,
}

pub(crate) fn answer(status: u16, body: &(impl AsRef<[u8]> + ?Sized)) -> Answer {
    Answer { status, headers: Vec::new(), body: body.as_ref().to_vec() }
}

pub(crate) fn problem(status: u16, kind: &str, detail: &str) -> Answer {
    let body = format!(
        r#"{{"type":"urn:inval:problem:{kind}","title":"T","status":{status},"detail":"{detail}"}}"#
    );
    answer(status, &body).header("Content-Type", "application/problem+json")
}

impl Answer {
    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    fn write(&self, is_head: bool, to: &mut TcpStream) {
        let mut text = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if self.status != 204 {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        to.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        if !is_head {
            to.write_all(&self.body).unwrap();
        }
    }
}

impl Daemon {
    /// Plays `answers` in turn; what is asked beyond them finds nobody.
    pub(crate) fn playing(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers = Vec::from_iter(answers).into_iter();
        Self::telling(move || answers.next())
    }

    /// Tells what `next` says each time; once that is nothing, what is asked finds nobody.
    pub(crate) fn telling(mut next: impl FnMut() -> Option<Answer> + Send + 'static) -> Self {
        let ready = Arc::new(Mutex::new(None));
        let told = Arc::clone(&ready);
        let is_open = move || {
            *ready.lock().unwrap() = next();
            ready.lock().unwrap().is_some()
        };
        Self::answering(is_open, move |_| told.lock().unwrap().take().unwrap())
    }

    /// Plays so many answers, each as `choose` says for what was asked.
    pub(crate) fn choosing(
        times: usize,
        choose: impl FnMut(&Asked) -> Answer + Send + 'static,
    ) -> Self {
        let mut rounds = 0..times;
        Self::answering(move || rounds.next().is_some(), choose)
    }

    fn answering(
        mut is_open: impl FnMut() -> bool + Send + 'static,
        mut choose: impl FnMut(&Asked) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = channel();
        thread::spawn(move || {
            while is_open() {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read(&stream);
                let method = request.line.split(' ').next().map(str::to_owned);
                let answer = choose(&request);
                // Told first, for whoever has the answer may look at once, or end.
                let _ = tell.send(request);
                answer.write(method.as_deref() == Some("HEAD"), &mut stream);
            }
        });
        Self { url, asked }
    }

    /// All that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.try_iter().collect()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let line = next().replace(" HTTP/1.1", "");
    let mut headers = BTreeMap::new();
    loop {
        let header = next();
        let Some((name, value)) = header.split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Asked { line, headers, body }
}
