//! The benchmark suites: a table of what each one runs and which of our options it understands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use crate::invocation::Invocation;
use crate::workspace::Workspace;

/// Every suite; a new one is one line.
const SUITES: &[Suite] = &[
    Suite { name: "policies", package: "inval-benches", program: Program::Criterion, also: None },
    Suite {
        name: "embedded",
        package: "inval-rivals",
        program: Program::Comparison { page: "docs/benchmarks.md" },
        also: None,
    },
    Suite {
        name: "metrics",
        package: "inval-metrics-bench",
        program: Program::Comparison { page: "docs/benchmarks.md" },
        also: None,
    },
    Suite {
        name: "redis",
        package: "inval-servers-bench",
        program: Program::Comparison { page: "docs/benchmarks.md" },
        also: None,
    },
    Suite {
        name: "daemon",
        package: "inval-servers-bench",
        program: Program::Comparison { page: "docs/benchmarks.md" },
        also: Some("inval-cli"),
    },
];

/// Where traces lie if `--traces` does not say otherwise.
const TRACES: &str = "../shared/traces";

/// The trace that stands for real traffic.
const TRACE: &str = "twitter_c52_1m.csv.zst";

struct Suite {
    name: &'static str,
    package: &'static str,
    program: Program,
    /// A package whose program the suite starts, so that it has to be built as well.
    also: Option<&'static str>,
}

enum Program {
    /// A criterion bench of the suite's name.
    Criterion,
    /// A program that takes the suite's name, `--trace`, `--json`, and `--docs` with this page.
    Comparison { page: &'static str },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The suite to run; all of them if none is named
    #[arg(value_parser = PossibleValuesParser::new(SUITES.iter().map(|suite| suite.name)))]
    suite: Option<String>,
    /// Also write the results of a comparison to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write the results of a comparison into its page of the documentation
    #[arg(long)]
    write_docs: bool,
    /// Where real traces lie
    #[arg(long, value_name = "DIR")]
    traces: Option<PathBuf>,
    /// Passed on to the suite as they are
    #[arg(last = true, requires = "suite")]
    extra: Vec<OsString>,
}

/// Runs the suites one after the other.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::load()?;
    let trace = trace(&workspace.root, args.traces.as_deref())?;
    for suite in SUITES
        .iter()
        .filter(|suite| args.suite.as_deref().is_none_or(|wanted| wanted == suite.name))
    {
        if let Some(package) = suite.also {
            Invocation::cargo("build --release --package").arg(package).run()?;
        }
        let invocation = suite.invocation(args, trace.as_deref(), &workspace.root)?;
        println!("\n== {}\n{invocation}", suite.name);
        invocation.run()?;
    }
    Ok(())
}

/// The trace to pass on; `None` if there is none where we look unasked.
fn trace(root: &Path, directory: Option<&Path>) -> Result<Option<PathBuf>> {
    let trace = directory.map_or_else(|| root.join(TRACES), Path::to_owned).join(TRACE);
    match trace.is_file() {
        true => Ok(Some(trace)),
        false if directory.is_some() => bail!("there is no {}", trace.display()),
        false => Ok(None),
    }
}

impl Suite {
    fn invocation(&self, args: &Args, trace: Option<&Path>, root: &Path) -> Result<Invocation> {
        match self.program {
            Program::Criterion => self.criterion(args),
            Program::Comparison { page } => Ok(self.comparison(args, trace, &root.join(page))),
        }
    }

    fn criterion(&self, args: &Args) -> Result<Invocation> {
        if args.suite.is_some() && (args.json.is_some() || args.write_docs) {
            bail!("--json and --write-docs are for comparisons, which {} is not", self.name);
        }
        let mut invocation =
            Invocation::cargo("bench --package").args([self.package, "--bench", self.name]);
        if !args.extra.is_empty() {
            invocation = invocation.arg("--").args(&args.extra);
        }
        Ok(invocation)
    }

    fn comparison(&self, args: &Args, trace: Option<&Path>, page: &Path) -> Invocation {
        let mut invocation = Invocation::cargo("run --release --package").args([
            self.package,
            "--bin",
            self.package,
            "--",
            self.name,
        ]);
        let files = [
            ("--trace", trace),
            ("--json", args.json.as_deref()),
            ("--docs", args.write_docs.then_some(page)),
        ];
        for (option, file) in files {
            if let Some(file) = file {
                invocation = invocation.arg(option).arg(file);
            }
        }
        invocation.args(&args.extra)
    }
}
