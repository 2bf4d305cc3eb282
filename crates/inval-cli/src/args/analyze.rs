//! What can be said to `inval analyze`.

use std::ffi::OsString;

use clap::Args;
use inval_core::Namespace;

use super::Access;

#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    /// Namespace to analyse
    #[arg(short, long, value_name = "NS", env = "INVAL_NAMESPACE")]
    pub(crate) namespace: Namespace,

    /// About how many entries to look at at once, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(crate) page_size: u32,

    /// Share of its time for which the server may be held, such as 2% or 0.02
    /// [default: 2%, or that of the daemon's upkeep]
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub(crate) duty_cycle: Option<f64>,

    /// What ends a part of a key, for the prefixes
    #[arg(long, value_name = "TEXT", default_value = ":")]
    pub(crate) delimiter: OsString,

    /// Up to and including which delimiter a prefix goes, 1 to 8
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) depth: u32,

    /// How many of the largest entries and of the heaviest prefixes to print, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: u32,

    #[command(flatten)]
    pub(crate) access: Access,
}

fn parse_share(text: &str) -> Result<f64, &'static str> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or("give a share above 0 and at most 1, such as 2% or 0.02")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_or_a_percentage() {
        let check = |text: &str, want: Option<f64>| assert_eq!(parse_share(text).ok(), want);
        check("2%", Some(0.02));
        check("0.5 %", Some(0.005));
        check("0.02", Some(0.02));
        check("1", Some(1.0));
        check("100%", Some(1.0));
        check("2", None);
        check("0", None);
        check("-1%", None);
        check("NaN", None);
        check("%", None);
        check("two", None);
    }
}
