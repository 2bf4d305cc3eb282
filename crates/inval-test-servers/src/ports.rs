//! Free ports on the loopback interface, none given twice by one program.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range outgoing connections draw from: no connection takes the port of a server that is
/// down for a while, and none that retries such a port ever connects to itself.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;

/// Programs that run at the same time mostly have process ids close together: each starts in a block
/// of its own.
const BLOCK: u32 = 100;

static NEXT: LazyLock<AtomicU32> =
    LazyLock::new(|| AtomicU32::new(process::id().wrapping_mul(BLOCK)));

/// A port that nobody listened on a moment ago; `None` if all are taken.
///
/// Others may take it before the server does, so whoever starts a server tries more than one.
pub(crate) fn free_port() -> Option<u16> {
    (0..COUNT).find_map(|_| {
        let number = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = u16::try_from(number).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let mut ports: Vec<u16> = (0..50).filter_map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
    }
}
