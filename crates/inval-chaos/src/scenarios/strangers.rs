//! Others who do to servers and entries what only inval should.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use inval_core::Namespace;
use inval_core::keyspace::{Keyspace, partition_of};
use inval_test_servers::Reply;

use crate::history::{Act, Outcome};
use crate::load::{ROOMY, ROOMY_KEYS, bytes_of, key_of};
use crate::stage::Stage;

pub(super) fn flushed(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(200, 1000);
        stage.losing(|stage| stage.site.command_all(&["FLUSHALL"]))?;
    }
    Ok(())
}

pub(super) fn scripts_flushed(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(5, 80);
        stage.site.command_all(&["SCRIPT", "FLUSH"])?;
        stage.count();
    }
    Ok(())
}

/// What a stranger may do.
#[derive(Clone, Copy)]
enum Deed {
    Write,
    WriteForAWhile,
    Delete,
    Expire,
    Retype,
    Garble,
}

pub(super) fn meddling(stage: &mut Stage) -> Result<()> {
    let namespace: Namespace = ROOMY.parse()?;
    while stage.is_on() {
        stage.go_on(2, 30);
        let key = stage.rng.u32(0..ROOMY_KEYS);
        let deed = stage.any(&[
            Deed::Write,
            Deed::WriteForAWhile,
            Deed::Delete,
            Deed::Expire,
            Deed::Retype,
            Deed::Garble,
        ]);
        stage.as_a_stranger(key, |stage| meddle(stage, &namespace, key, deed))?;
    }
    Ok(())
}

fn meddle(stage: &Stage, namespace: &Namespace, key: u32, deed: Deed) -> Result<Act> {
    let site = Arc::clone(&stage.site);
    let partition = partition_of(&key_of(key), site.topology.partitions());
    let names = Keyspace::new(namespace, partition);
    let name = names.entry(key_of(key).as_bytes());
    let mut connection = site.master_of(namespace, partition)?.connect()?;
    let mut send = |command: &[&[u8]]| match connection.command(command)? {
        Reply::Error(error) => bail!("a stranger was refused: {error}"),
        reply => Ok(reply),
    };
    let value = stage.shared.chronicle.new_value();
    let bytes = bytes_of(value, key);
    let written = |ttl| Act::Write { value, ttl, outcome: Outcome::Done };
    Ok(match deed {
        Deed::Write => {
            send(&[b"SET", &name, &bytes])?;
            written(None)
        }
        Deed::WriteForAWhile => {
            send(&[b"SET", &name, &bytes, b"PX", b"200"])?;
            written(Some(Duration::from_millis(200)))
        }
        Deed::Delete => {
            send(&[b"DEL", &name])?;
            Act::Invalidate(Outcome::Done)
        }
        Deed::Expire => {
            send(&[b"PEXPIRE", &name, b"30"])?;
            Act::Invalidate(Outcome::Unknown)
        }
        Deed::Retype => {
            send(&[b"DEL", &name])?;
            // Somebody else may have written meanwhile.
            let _may_be_refused = send(&[b"SADD", &name, b"stranger"]);
            Act::Invalidate(Outcome::Done)
        }
        Deed::Garble => {
            // Something else may be there of another type.
            let _may_be_refused = send(&[b"RPUSH", names.journal().as_bytes(), b"garbage"]);
            Act::Invalidate(Outcome::Refused)
        }
    })
}
