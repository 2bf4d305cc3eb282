//! The command `inval run-now`: upkeep until nothing is left to do.

use std::io::{self, Write};

use inval_core::Namespace;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::error::ClientError;
use super::print;
use super::values::Upkeep;
use crate::args::{Form, RunNowArgs};
use crate::output::{aligned, grouped};

/// Does the upkeep of one namespace after the other and prints what was done. Something left in one of
/// them is a failure, after all of them have had their turn.
pub(crate) fn run_now(args: &RunNowArgs) -> anyhow::Result<()> {
    let endpoint = Endpoint::open(&args.access.origin)?;
    let mut done = Vec::new();
    for namespace in namespaces(args, &endpoint)? {
        let upkeep = endpoint.maintain(&namespace, args.timeout)?;
        done.push((namespace, upkeep));
    }
    let mut out = io::stdout().lock();
    match args.access.output {
        Form::Json => {
            let object = |(namespace, upkeep): &(Namespace, Upkeep)| {
                let mut object = json!(upkeep);
                object["namespace"] = json!(namespace.to_string());
                object
            };
            print::json(&mut out, &done.iter().map(object).collect::<Vec<Value>>())?;
        }
        Form::Table => table(&mut out, &done)?,
    }
    out.flush()?;
    let unfinished = done.into_iter().find(|(_, upkeep)| !upkeep.is_done);
    unfinished.map_or(Ok(()), |(namespace, _)| Err(ClientError::Unfinished(namespace).into()))
}

/// Those asked for, each once; without any, all there are.
fn namespaces(args: &RunNowArgs, endpoint: &Endpoint) -> Result<Vec<Namespace>, ClientError> {
    if args.namespaces.is_empty() {
        return Ok(endpoint.namespaces()?.into_iter().map(|info| info.name).collect());
    }
    let mut namespaces: Vec<Namespace> = Vec::new();
    for namespace in &args.namespaces {
        if !namespaces.contains(namespace) {
            namespaces.push(namespace.clone());
        }
    }
    Ok(namespaces)
}

fn table(out: &mut impl Write, done: &[(Namespace, Upkeep)]) -> io::Result<()> {
    const HEADING: [&str; 5] = ["namespace", "evicted", "expired", "changes booked", "done"];
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
    for (namespace, upkeep) in done {
        let counts = [upkeep.evicted, upkeep.expired, upkeep.records].map(grouped);
        let mut row = vec![namespace.to_string()];
        row.extend(counts);
        row.push(if upkeep.is_done { "yes" } else { "no" }.to_owned());
        rows.push(row);
    }
    aligned(out, &rows)
}
