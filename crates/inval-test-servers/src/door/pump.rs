//! The threads that carry a connection's bytes, one for each direction.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Shared;
use super::connection::{Arrival, Connection, End};
use super::faults::{Progress, Verdict, Waiting, Way};
use super::user::{Login, login};

/// How soon bytes that are held back notice that a fault has changed.
const NOTICE: Duration = Duration::from_millis(10);

/// How much is read at once, and how much may be held back before the sender has to wait.
const BUFFER: usize = 1 << 16;
const BACKLOG: usize = 1 << 22;

/// Bytes that arrived at once; none at all stand for the end.
struct Chunk {
    arrived: Instant,
    bytes: Vec<u8>,
    passed: usize,
    is_counted: bool,
}

struct Pump {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    way: Way,
    chunks: VecDeque<Chunk>,
    progress: Progress,
    has_all: bool,
    /// What the client said first, while that names no user yet.
    first: Option<Vec<u8>>,
}

/// Connects to the server and carries bytes both ways until one side ends.
pub(super) fn lead_through(shared: Arc<Shared>, connection: Arc<Connection>) -> io::Result<()> {
    spawn(move || {
        // Whatever the error, it is over for the client.
        if both_ways(&shared, &connection).is_err() {
            connection.close(|| ());
        }
    })
}

fn both_ways(shared: &Arc<Shared>, connection: &Arc<Connection>) -> io::Result<()> {
    hang_while_told(shared, connection)?;
    connection.connect(shared.server)?;
    let back = Pump::new(shared, connection, Way::Back);
    spawn(move || back.run())?;
    Pump::new(shared, connection, Way::There).run();
    Ok(())
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("door".to_owned()).spawn(work).map(|_| ())
}

/// A connection that comes while all are stalled does not reach the server.
fn hang_while_told(shared: &Shared, connection: &Connection) -> io::Result<()> {
    let hangs = || shared.faults(|faults| faults.tell_to_hang(connection.whose()));
    if hangs() {
        shared.count();
    }
    while hangs() {
        thread::sleep(NOTICE);
        connection.unless_over(())?;
    }
    connection.unless_over(())
}

impl Pump {
    fn new(shared: &Arc<Shared>, connection: &Arc<Connection>, way: Way) -> Self {
        Self {
            shared: Arc::clone(shared),
            connection: Arc::clone(connection),
            way,
            chunks: VecDeque::new(),
            progress: Progress::default(),
            has_all: false,
            first: (way == Way::There).then(Vec::new),
        }
    }

    fn run(mut self) {
        let outcome = self.carry();
        // A client may say that it sends no more and still read; servers do no such thing.
        if outcome.is_err() || self.way == Way::Back {
            self.connection.close(|| ());
        }
    }

    fn ends(&self) -> io::Result<(End<'_>, End<'_>)> {
        let (client, server) = (self.connection.client(), self.connection.server()?);
        Ok(match self.way {
            Way::There => (client, server),
            Way::Back => (server, client),
        })
    }

    fn carry(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let patience = self.let_pass()?;
            if self.has_all && self.chunks.is_empty() {
                return Ok(());
            }
            self.take_in(&mut buffer, patience)?;
        }
    }

    /// Lets pass what may; how long to wait with the rest, if any.
    fn let_pass(&mut self) -> io::Result<Option<Duration>> {
        while let Some(chunk) = self.chunks.front_mut() {
            let now = Instant::now();
            let length = chunk.bytes.len() - chunk.passed;
            let waiting = Waiting { arrived: chunk.arrived, length };
            let whose = (self.connection.whose(), self.way);
            let progress = &mut self.progress;
            match self.shared.faults(|faults| faults.judge(whose, waiting, progress, now)) {
                Verdict::Pass(bytes) => self.pass(bytes, now)?,
                Verdict::PassAndCut(bytes) => {
                    self.pass(bytes, now)?;
                    self.connection.close(|| self.shared.count());
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Verdict::Hold(time) => {
                    if !chunk.is_counted {
                        self.shared.count();
                    }
                    chunk.is_counted = true;
                    return Ok(Some(time.min(NOTICE)));
                }
                Verdict::Reset => {
                    self.connection.reset(|| self.shared.count());
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
            }
        }
        Ok(None)
    }

    /// Hands on so many bytes of the first chunk, and lets go of it if that was all.
    fn pass(&mut self, bytes: usize, now: Instant) -> io::Result<()> {
        let Some(chunk) = self.chunks.front() else { return Ok(()) };
        let (_, to) = self.ends()?;
        let upto = chunk.passed + bytes;
        to.write(&chunk.bytes[chunk.passed..upto])?;
        if chunk.bytes.is_empty() {
            to.finish()?;
        }
        if upto == chunk.bytes.len() {
            self.chunks.pop_front();
        } else if let Some(chunk) = self.chunks.front_mut() {
            chunk.passed = upto;
        }
        self.progress.advance(bytes, now);
        Ok(())
    }

    /// Waits for bytes: without end if none are held back.
    fn take_in(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<()> {
        let backlog: usize = self.chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        if let Some(patience) = patience
            && (self.has_all || backlog > BACKLOG)
        {
            thread::sleep(patience);
            return self.connection.unless_over(());
        }
        let (from, _) = self.ends()?;
        let Arrival::Bytes(count) = from.read(buffer, patience)? else { return Ok(()) };
        let bytes = buffer[..count].to_vec();
        self.recognise(&bytes);
        self.has_all = bytes.is_empty();
        let arrived = Instant::now();
        self.chunks.push_back(Chunk { arrived, bytes, passed: 0, is_counted: false });
        Ok(())
    }

    fn recognise(&mut self, bytes: &[u8]) {
        let Some(mut first) = self.first.take() else { return };
        first.extend_from_slice(bytes);
        match login(&first) {
            Login::Unfinished => self.first = Some(first),
            Login::Nobody => {}
            Login::User(user) => self.connection.belongs_to(user),
        }
    }
}
