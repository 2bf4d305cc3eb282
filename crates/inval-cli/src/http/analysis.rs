//! Operations on the analysis of a namespace: starting it, telling of it, cancelling it.

use axum::body::Body;
use axum::http::StatusCode;
use inval_runtime::AnalysisOptions;
use serde_json::{Value, json};

use super::call::Call;
use super::json::{Fields, bytes_of};
use super::problem::{Kind, Problem};
use super::{Answer, empty, json as answer};

const FIELDS: [&str; 5] = ["page_size", "duty_cycle", "delimiter", "depth", "top"];

pub(super) async fn start(call: &Call<'_>, body: Body) -> Answer {
    let (store, name) = (call.store()?, call.namespace()?);
    let options = parse(call.fields(body).await?, call.daemon.manager.analysis_options())?;
    call.daemon.analyses.start(&call.daemon.manager, &name, options)?;
    let report = call.daemon.analyses.report(&store, &name);
    // If the namespace was deleted and made anew meanwhile, it was the other one's.
    answer(StatusCode::ACCEPTED, &json!(report.ok_or_else(Problem::unknown_namespace)?))
}

pub(super) fn get(call: &Call<'_>) -> Answer {
    let (store, name) = (call.store()?, call.namespace()?);
    let report = call.daemon.analyses.report(&store, &name);
    let report = report.ok_or_else(|| {
        Problem::new(Kind::NoAnalysis, "POST to this path starts one; {} takes the defaults")
    })?;
    answer(StatusCode::OK, &json!(report))
}

pub(super) fn cancel(call: &Call<'_>) -> Answer {
    let (store, name) = (call.store()?, call.namespace()?);
    call.daemon.analyses.cancel(&store, &name);
    empty(StatusCode::NO_CONTENT, None)
}

/// What the fields of a body make of the `default` options.
fn parse(mut fields: Fields, default: AnalysisOptions) -> Result<AnalysisOptions, Problem> {
    let mut options = default;
    if let Some(size) = fields.take("page_size") {
        options.page_size = number("page_size", &size)?;
    }
    if let Some(share) = fields.take("duty_cycle") {
        let wrong = || Problem::invalid("duty_cycle must be a number");
        options.duty_cycle = share.as_f64().ok_or_else(wrong)?;
    }
    if let Some(delimiter) = fields.take("delimiter") {
        options.settings.delimiter = bytes_of(delimiter, "delimiter")?.to_vec();
    }
    if let Some(depth) = fields.take("depth") {
        options.settings.depth = number("depth", &depth)?;
    }
    if let Some(top) = fields.take("top") {
        options.settings.top = number("top", &top)?;
    }
    fields.finish(&FIELDS)?;
    options.validate().map_err(|error| Problem::invalid(error.to_string()))?;
    Ok(options)
}

fn number(name: &str, value: &Value) -> Result<u32, Problem> {
    let wrong = || Problem::invalid(format!("{name} must be a whole number from 0 to 2^32 - 1"));
    value.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or_else(wrong)
}
