//! The command `inval analyze`: what is in a namespace.

use std::io::{self, Write};

use inval_core::analysis::AnalysisSettings;

use super::endpoint::Endpoint;
use super::error::ClientError;
use super::findings;
use super::print;
use super::report::{Phase, Report, Steps, Wish};
use crate::args::{AnalyzeArgs, Form};
use crate::progress::{Extent, bar};

/// Analyses a namespace, with a progress bar meanwhile, and prints what was found.
pub(crate) fn analyze(args: &AnalyzeArgs) -> anyhow::Result<()> {
    let wish = wish(args);
    wish.options()?;
    let endpoint = Endpoint::open(&args.access.origin)?;
    let bar = bar("analysing", Extent::Entries(0));
    let report = endpoint.analyse(&args.namespace, &wish, |Steps { entries, booked, .. }| {
        bar.set_length(booked.max(entries));
        bar.set_position(entries);
    });
    bar.finish_and_clear();
    let report = report.and_then(|report| ended(args, report))?;
    let mut out = io::stdout().lock();
    match args.access.output {
        Form::Json => print::json(&mut out, &report)?,
        Form::Table => findings::print(&mut out, args.namespace.as_str(), &report)?,
    }
    Ok(out.flush()?)
}

fn wish(args: &AnalyzeArgs) -> Wish {
    let settings = AnalysisSettings {
        top: args.top,
        delimiter: args.delimiter.as_encoded_bytes().to_vec(),
        depth: args.depth,
        ..AnalysisSettings::default()
    };
    Wish { settings, page_size: args.page_size, duty_cycle: args.duty_cycle }
}

/// The report of an analysis that came to its end.
fn ended(args: &AnalyzeArgs, report: Report) -> Result<Report, ClientError> {
    let namespace = args.namespace.clone();
    match report.state {
        Phase::Done => Ok(report),
        Phase::Failed => {
            let error = report.error.unwrap_or_default().into();
            Err(ClientError::BrokeOff { namespace, error })
        }
        Phase::Cancelled | Phase::Running => Err(ClientError::Cancelled(namespace)),
    }
}
