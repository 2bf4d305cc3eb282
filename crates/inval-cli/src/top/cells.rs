//! Numbers as briefly as they can be read.

/// A time in its largest unit, with a tenth where it is below ten seconds.
pub(super) fn time_ms(ms: u64) -> String {
    const S: u64 = 1000;
    const M: u64 = 60 * S;
    const H: u64 = 60 * M;
    const D: u64 = 24 * H;
    match ms {
        0..S => format!("{ms}ms"),
        S..10_000 => format!("{}.{}s", ms / S, ms % S / 100),
        10_000..100_000 => format!("{}s", ms / S),
        100_000..6_000_000 => format!("{}m", ms / M),
        6_000_000..360_000_000 => format!("{}h", ms / H),
        _ => format!("{}d", ms / D),
    }
}

/// A number of bytes in its largest unit, with a tenth where it is below ten of them.
pub(super) fn bytes(bytes: u64) -> String {
    let mut amount = bytes as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while amount >= 1023.5
        && let Some(next) = units.next()
    {
        amount /= 1024.0;
        unit = next;
    }
    match amount {
        0.0..9.95 if bytes >= 1024 => format!("{amount:.1} {unit}"),
        _ => format!("{amount:.0} {unit}"),
    }
}

/// A share of one, as a whole number of hundredths; what is more than one is never told as one.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let whole = if share > 1.0 { percent.ceil() } else { percent.floor() };
    format!("{whole:.0}%")
}

/// A bar `width` cells long, filled by a share of one.
pub(super) fn bar(share: f64, width: usize) -> String {
    let filled = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    "█".repeat(filled) + &"░".repeat(width - filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_unit() {
        let check = |ms, want: &str| assert_eq!(time_ms(ms), want);
        check(0, "0ms");
        check(999, "999ms");
        check(1_999, "1.9s");
        check(99_999, "99s");
        check(100_000, "1m");
        check(5_999_999, "99m");
        check(6_000_000, "1h");
        check(360_000_000, "4d");
    }

    #[test]
    fn bytes_have_two_to_four_digits() {
        let check = |number, want: &str| assert_eq!(bytes(number), want);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(10_240, "10 KiB");
        check((1 << 20) - 1, "1.0 MiB");
        check(1_900_000, "1.8 MiB");
        check(u64::MAX, "16 EiB");
    }

    #[test]
    fn what_is_above_the_limit_is_seen() {
        let check = |share, want: (&str, &str)| {
            assert_eq!((percent(share).as_str(), bar(share, 4).as_str()), want);
        };
        check(0.0, ("0%", "░░░░"));
        check(0.5, ("50%", "██░░"));
        check(0.999, ("99%", "████"));
        check(1.0, ("100%", "████"));
        check(1.0001, ("101%", "████"));
    }
}
