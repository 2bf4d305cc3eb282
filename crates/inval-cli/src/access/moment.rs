//! A moment of the calendar, to the second.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970. As text it is RFC 3339 in UTC, such as `2026-11-25T04:00:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Moment(u64);

/// A text that is no [`Moment`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a time is written as 2026-11-25T04:00:00Z, and not before 1970")]
pub(crate) struct MomentError;

impl Moment {
    /// The last that can be written: the end of the year 9999.
    pub(crate) const LAST: Self = Self(253_402_300_799);

    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self(since.unwrap_or_default().as_secs())
    }

    /// The moment `by` later, or the last.
    pub(crate) fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.as_secs())).min(Self::LAST)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = i64::try_from(self.0).ok();
        let text = text.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        match text.and_then(|time| time.format(&Rfc3339).ok()) {
            Some(text) => f.pad(&text),
            None => f.pad("-"),
        }
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| MomentError)?;
        u64::try_from(time.unix_timestamp()).map(Self).map_err(|_| MomentError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_and_read_in_any_zone() {
        let check = |text: &str, want: Result<(u64, &str), MomentError>| {
            let moment = text.parse::<Moment>();
            let want = want.map(|(seconds, text)| (Moment(seconds), text.to_owned()));
            assert_eq!(moment.map(|moment| (moment, moment.to_string())), want, "{text}");
        };
        check("1970-01-01T00:00:00Z", Ok((0, "1970-01-01T00:00:00Z")));
        check("2026-11-25T04:00:00.9Z", Ok((1_795_579_200, "2026-11-25T04:00:00Z")));
        check("2026-11-25T05:00:00+01:00", Ok((1_795_579_200, "2026-11-25T04:00:00Z")));
        check("9999-12-31T23:59:59Z", Ok((Moment::LAST.0, "9999-12-31T23:59:59Z")));
        check("1969-12-31T23:59:59Z", Err(MomentError));
        check("2026-11-25", Err(MomentError));
        check("soon", Err(MomentError));
        assert_eq!(Moment::LAST.after(Duration::MAX), Moment::LAST);
    }
}
