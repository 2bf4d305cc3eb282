//! The ring against a model that remembers everything, and how it adapts.

use proptest::prelude::*;

use super::*;

const HORIZON: Duration = Duration::from_secs(600);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn gone(digest: u64, weight: u32) -> Gone {
    Gone { digest, cause: RemovalCause::Evicted, weight: Weight::new(weight) }
}

/// Removals of `count` keys, one every `interval` from `from` on; when the last one came.
fn burst(recent: &mut Recent, from: Duration, interval: Duration, count: u32) -> Duration {
    let mut now = from;
    for n in 0..count {
        now = from + interval * n;
        recent.note(gone(u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15), n), now);
    }
    now
}

fn remembered(recent: &mut Recent, now: Duration) -> (u64, Duration) {
    let (_, remembered) = recent.recall(0, now);
    (remembered.one_in, remembered.since)
}

#[test]
fn what_comes_slowly_is_all_remembered_until_it_is_pushed_out() {
    let mut recent = Recent::new(100, HORIZON);
    burst(&mut recent, secs(0), secs(10), 100);
    assert_eq!(remembered(&mut recent, secs(1000)), (1, secs(1000)));
    // There is no more room, and what is oldest is 1,000 s old.
    burst(&mut recent, secs(1000), secs(10), 5);
    assert_eq!(remembered(&mut recent, secs(1050)), (1, secs(1050 - 40)));
}

#[test]
fn what_comes_too_fast_is_remembered_of_a_part_of_the_keys_for_as_long_as_it_does() {
    let mut recent = Recent::new(128, HORIZON);
    let last = burst(&mut recent, secs(0), Duration::from_millis(10), 10_000);
    let (one_in, since) = remembered(&mut recent, last);
    assert!((128..=512).contains(&one_in), "{one_in}");
    assert_eq!(since, last, "of these all removals are there");
    assert!(recent.notes.len() <= 128);
    // It stops. A horizon later there is room for all, from then on.
    assert_eq!(remembered(&mut recent, last + HORIZON / 2).0, one_in);
    recent.recall(0, last + HORIZON);
    let later = last + HORIZON + secs(5);
    assert_eq!(remembered(&mut recent, later), (1, later), "this key was remembered throughout");
    let (_, of_another) = recent.recall(1, later);
    assert_eq!((of_another.includes_key, of_another.since), (true, secs(5)));
}

#[test]
fn one_key_that_goes_again_and_again_does_not_push_out_the_rest_for_ever() {
    let mut recent = Recent::new(64, HORIZON);
    for n in 0..1_000 {
        recent.note(gone(0b100, 9), Duration::from_millis(n));
    }
    recent.note(gone(0b1000, 1), secs(2));
    let (removals, remembered) = recent.recall(0b100, secs(3));
    assert_eq!((removals.len(), remembered.includes_key, remembered.one_in), (0, false, 8));
    let (removals, remembered) = recent.recall(0b1000, secs(3));
    let want = PastRemoval { cause: RemovalCause::Evicted, weight: Weight::new(1), ago: secs(1) };
    assert_eq!((removals, remembered.includes_key), (vec![want], true));
    // At the smallest share, what is oldest goes although it is not old.
    for n in 0..1_000 {
        recent.note(gone(0, 9), secs(4) + Duration::from_millis(n));
    }
    let (removals, remembered) = recent.recall(0, secs(5));
    assert_eq!((removals.len(), remembered.includes_key), (64, true));
    assert_eq!(remembered.since, secs(1) - Duration::from_millis(1_000 - 64 - 1));
}

proptest! {
    /// Of a key that is included all removals are there that came after `since`, and no others but older ones of
    /// its own; of another there are none.
    #[test]
    fn nothing_is_remembered_wrongly(
        most in 1_usize..40,
        steps in prop::collection::vec((0_u32..6, 0_u64..4, 0_u64..300), 1..400),
    ) {
        let mut recent = Recent::new(most, secs(60));
        let (mut all, mut now) = (Vec::new(), Duration::ZERO);
        for (n, (shift, odd, pause)) in steps.into_iter().enumerate() {
            // Seldom a pause of up to five minutes, else next to none.
            now += if pause % 16 == 0 { secs(pause) } else { Duration::from_millis(pause) };
            let digest = (2 * odd + 1) << shift;
            let gone = gone(digest, n as u32);
            recent.note(gone, now);
            all.push((now, gone));
            prop_assert!(recent.notes.len() <= most);
            for digest in [digest, 1, 6, 1 << 5, 0] {
                let (told, remembered) = recent.recall(digest, now);
                let told: Vec<_> =
                    told.iter().map(|removal| (now - removal.ago, removal.weight)).collect();
                let came = all.iter().rev().filter(|(_, gone)| gone.digest == digest);
                let came: Vec<_> = came.map(|(at, gone)| (*at, gone.weight)).collect();
                prop_assert!(came.starts_with(&told));
                let since = now - remembered.since;
                let surely = came.iter().filter(|(at, _)| *at > since).count();
                match remembered.includes_key {
                    true => prop_assert!(told.len() >= surely),
                    false => prop_assert!(told.is_empty()),
                }
                prop_assert_eq!(remembered.includes_key, digest % remembered.one_in == 0);
            }
        }
    }
}
