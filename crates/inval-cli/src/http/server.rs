//! Takes connections, serves requests on them, and lets those under way end when it is to stop.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_LENGTH;
use axum::http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::{Api, Tls};

/// How long a connection may be idle, and how long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Pause after a connection could not be taken, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a request came from.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// The server while it takes connections.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Server {
    /// Binds an address, on which connections wait until [`Server::start`].
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    /// Serves who connects, over TLS if `tls` is there.
    pub(crate) fn start(listener: TcpListener, tls: Option<Arc<Tls>>, api: Api) -> Self {
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, tls, Arc::new(api), stopped));
        Self { stop, accepting }
    }

    /// Takes no more connections and requests, waits for those under way but no longer than `patience`, and
    /// says whether all of them ended.
    pub(crate) async fn drain(self, patience: Duration) -> bool {
        let _ = self.stop.send(());
        match self.accepting.await {
            Ok(connections) => timeout(patience, connections.shutdown()).await.is_ok(),
            Err(_) => false,
        }
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    api: Arc<Api>,
    mut stopped: oneshot::Receiver<()>,
) -> GracefulShutdown {
    let router = api.router();
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stopped => return connections,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Without it answers may wait for acknowledgements; they are right all the same.
                let _ = stream.set_nodelay(true);
                let (tls, router, watcher) = (tls.clone(), router.clone(), connections.watcher());
                let peer = Peer(peer.ip());
                tokio::spawn(async move {
                    match tls {
                        None => serve((stream, peer), router, watcher).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve((stream, peer), router, watcher).await,
                            Err(error) => debug!(%error, "no agreement on encryption"),
                        },
                    }
                });
            }
            Err(error) => {
                warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves requests on a connection until one side ends it.
async fn serve<S>((stream, peer): (S, Peer), router: axum::Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let is_head = request.method() == Method::HEAD;
        let answer = router.call(request);
        async move {
            let mut answer = answer.await?;
            if is_head {
                // It would have to be that of GET, which nobody has asked for.
                answer.headers_mut().remove(CONTENT_LENGTH);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection ended early");
    }
}
