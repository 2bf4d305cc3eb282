//! The command `inval serve`: a daemon that maintains namespaces and serves them over HTTP.

mod daemon;
mod reload;
mod backend;
mod analyses;
mod any_store;

mod source;
mod demo;

mod log;
mod summary;
mod readings;
mod signals;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tracing::{error, info, warn};

use crate::args::ServeArgs;
use crate::config::Settings;
use crate::failure::KILLED;
use crate::http::{Api, Server, Tls};
use signals::{Signal, Signals};
use source::Source;

pub(crate) use any_store::{AnyError, AnyStore};
pub(crate) use backend::BackendError;
pub(crate) use daemon::{CreateError, Created, Daemon, DaemonError, DeleteError};
pub(crate) use reload::Reloaded;

/// Serves until a signal asks it to end.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    log::start(&args.log, args.log_format)?;
    let source = Source::from_args(args)?;
    let settings = source.load()?;
    Runtime::new()?.block_on(serve(source, settings, args))
}

async fn serve(source: Source, settings: Settings, args: &ServeArgs) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    settings.warnings.iter().for_each(|warning| warn!("{warning}"));
    let (http, store) = (settings.http.clone(), settings.store.clone());
    daemon::check_exposure(&settings)?;
    let tls = http.tls().map(Tls::load).transpose()?.map(Arc::new);
    let listener = bind(http.listen).await?;
    let daemon = tokio::select! {
        started = Daemon::start(source, settings, tls.clone()) => Arc::new(started?),
        () = stopped(&mut signals) => return Ok(()),
    };
    let address = listener.local_addr()?;
    let drain_timeout = http.drain_timeout;
    let base = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
    let server = Server::start(listener, tls, Api::new(Arc::clone(&daemon), http));
    announce(&base)?;
    if args.demo {
        demo::announce(&base)?;
        tokio::spawn(demo::traffic(daemon.manager.clone()));
    }
    info!(%store, "serving");
    if daemon.access.is_open() && !address.ip().is_loopback() {
        warn!(%address, "whoever reaches this address can read and change everything");
    }
    tokio::spawn(tell_strangers(Arc::clone(&daemon)));
    tokio::spawn(summary::log(daemon.manager.clone(), args.log_interval));

    while signals.next().await == Signal::Reload {
        tokio::spawn(reload(Arc::clone(&daemon)));
    }
    info!("stopping: requests under way may end; another signal ends at once");
    tokio::spawn(async move {
        stopped(&mut signals).await;
        process::exit(KILLED);
    });
    if !server.drain(drain_timeout).await {
        warn!("requests did not end in time and were dropped");
    }
    log::report(&daemon.shutdown(drain_timeout).await);
    info!("stopped");
    Ok(())
}

/// Waits until somebody wants it to end.
async fn stopped(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

async fn reload(daemon: Arc<Daemon>) {
    // What it did, it logs itself.
    let reloaded = daemon.reload().await;
    let outcome = if reloaded.is_ok() { "done" } else { "failed" };
    info!(target: "inval::audit", principal = "(signal)", operation = "Reload", outcome, "audit");
    if let Err(error) = reloaded {
        error!("nothing reloaded: {error}");
    }
}

/// Logs which namespaces are on the server that this daemon does not maintain.
async fn tell_strangers(daemon: Arc<Daemon>) {
    match daemon.backend.namespaces().await {
        Ok(namespaces) => {
            let strangers =
                namespaces.iter().filter(|name| daemon.manager.store(name.as_str()).is_none());
            strangers.for_each(|namespace| {
                info!(%namespace, "on the server, but not in the settings: not maintained here");
            });
        }
        Err(error) => warn!(%error, "cannot list the namespaces on the server"),
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = Server::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}; choose another by --listen"))
}

/// Says on standard output where to ask.
fn announce(base: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "inval: listening on {base}")?;
    out.flush()
}
