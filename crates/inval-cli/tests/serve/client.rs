//! A small HTTP/1.1 client that hides nothing.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Connection(BufReader<TcpStream>);

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Response {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let message = [head.as_bytes(), b"\r\n", body.unwrap_or_default()].concat();
        // The answer may come, and the connection end, before all of a body was taken.
        let _ = self.write(&message);
        self.receive(method).unwrap()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// The next answer, to a request by `method`.
    pub(crate) fn receive(&mut self, method: &str) -> io::Result<Response> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Response { status, headers, body: Vec::new() };
        assert_eq!(response.header("transfer-encoding"), None, "{response:?}");
        if method != "HEAD" && status != 204 {
            let length = response.header("content-length").unwrap().parse().unwrap();
            response.body.resize(length, 0);
            self.0.read_exact(&mut response.body)?;
        }
        Ok(response)
    }

    /// Waits until the other side has read a head and wants the body.
    pub(crate) fn receive_go_ahead(&mut self) {
        assert_eq!(self.line().unwrap(), "HTTP/1.1 100 Continue");
        assert_eq!(self.line().unwrap(), "");
    }

    /// Everything that comes until the other side closes, or breaks off.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        rest
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The last part of a problem's type.
    pub(crate) fn problem(&self) -> String {
        let json = self.json();
        let name = json["type"].as_str().and_then(|name| name.strip_prefix("urn:inval:problem:"));
        name.unwrap_or_else(|| panic!("no problem: {json}")).to_owned()
    }
}
