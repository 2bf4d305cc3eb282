//! What somebody may have meant who wrote a name that is none.

use std::cmp::Reverse;

/// The one of `known` that takes the fewest slips of the keyboard to become `name`; `None` if even that
/// takes more than a third of it.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = name.to_ascii_lowercase().replace('-', "_");
    let distance =
        |known: &str| strsim::osa_distance(&plain, &known.to_ascii_lowercase().replace('-', "_"));
    let close = |known: &&str| distance(known) * 3 <= known.len().max(plain.len());
    known.filter(close).min_by_key(|known| (distance(known), Reverse(*known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let check = |name: &str, want: Option<&str>| {
            let known = ["max_lag", "min_interval", "max_interval", "listen", "ttl"];
            assert_eq!(nearest(name, known.into_iter()), want, "{name}");
        };
        check("max_lags", Some("max_lag"));
        check("max-lag", Some("max_lag"));
        check("MaxLag", Some("max_lag"));
        check("mxa_interval", Some("max_interval"));
        check("lisen", Some("listen"));
        check("tll", Some("ttl"));
        check("port", None);
        check("", None);
        check("x", None);
    }
}
