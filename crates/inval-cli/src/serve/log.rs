//! What is written to standard error while the daemon works. Never a key, a value or a password.

use std::io::{self, IsTerminal};

use inval_core::Standing;
use inval_runtime::{Event, Manager, ShutdownReport};
use tracing::{debug, info, warn};
use tracing_subscriber::EnvFilter;

use super::any_store::AnyStore;
use crate::args::LogForm;
use crate::failure::UsageError;

/// Begins to log what `filter` lets through.
pub(super) fn start(filter: &str, form: LogForm) -> Result<(), UsageError> {
    let filter = EnvFilter::builder().parse(filter).map_err(|_| UsageError::LogFilter)?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // What cannot be written, as to a full disk, is lost. Complaining of it there would end the program.
        .log_internal_errors(false)
        .with_target(false);
    // One that is there already stays.
    let _ = match form {
        LogForm::Text => subscriber.try_init(),
        LogForm::Json => subscriber.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Logs what happens to the namespaces of `manager` from now on.
pub(super) fn watch(manager: &Manager<AnyStore>) {
    let mut events = manager.events();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => note(&event),
                Err(missed) => warn!(missed = missed.0, "events came too fast to be logged"),
            }
        }
    });
}

fn note(event: &Event) {
    match event {
        Event::Added(namespace) => info!(%namespace, "maintained from now on"),
        Event::Reconfigured(namespace) => info!(%namespace, "keeps to another configuration"),
        Event::Removed(namespace) => info!(%namespace, "no longer maintained"),
        Event::Paused(namespace) => info!(%namespace, "upkeep paused"),
        Event::Resumed(namespace) => info!(%namespace, "upkeep resumed"),
        Event::Failing { namespace, partition, cause } => {
            warn!(%namespace, partition, %cause, "upkeep fails, and is tried again");
        }
        Event::Recovered { namespace, partition } => {
            info!(%namespace, partition, "upkeep works again");
        }
        Event::Standing { namespace, partition, standing } => match standing {
            Standing::Vacant => info!(%namespace, partition, "another manager has the lease"),
            Standing::Rebuilding => info!(%namespace, partition, "lease taken; making the books"),
            Standing::Steady => debug!(%namespace, partition, "the books are true"),
        },
        other => info!(event = ?other, "something happened"),
    }
}

/// Logs what a manager left behind.
pub(super) fn report(report: &ShutdownReport) {
    for (namespace, backlog, excess) in &report.left {
        let (entries, bytes) = (excess.entries, excess.bytes);
        info!(%namespace, backlog, entries, bytes, "left: changes not booked, excess over the limits");
    }
    for (namespace, cause) in &report.unreleased {
        warn!(%namespace, %cause, "a lease could not be given back; it lapses by itself");
    }
    if report.abandoned > 0 {
        warn!(slices = report.abandoned, "upkeep did not end in time and was dropped");
    }
}
