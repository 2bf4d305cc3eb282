//! What Prometheus reads.

use axum::http::StatusCode;
use inval_metrics::{CONTENT_TYPE, render};

use super::call::Call;
use super::traffic::Traffic;
use super::{Answer, respond};

pub(super) async fn scrape(call: &Call<'_>, traffic: &Traffic) -> Answer {
    let readings = call.daemon.readings(traffic.read()).await;
    Ok(respond(StatusCode::OK, CONTENT_TYPE, render(&readings)))
}
