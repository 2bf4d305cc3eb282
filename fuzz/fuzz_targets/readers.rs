//! Whatever the bytes and the format, a reader of traces comes to an end, and to the same one twice.
#![no_main]

use inval_replay::{Format, Reader};
use libfuzzer_sys::fuzz_target;

/// A line of the block format may rightly ask for millions of requests.
const MOST: usize = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    let budget = u64::from(choice >> 2);

    let strict = Reader::new(format, bytes).take(MOST);
    let (requests, errors): (Vec<_>, Vec<_>) = strict.partition(Result::is_ok);
    assert!(errors.len() <= 1, "nothing comes after an error");
    assert!(errors.iter().flat_map(|e| e.as_ref().err()).all(|e| !e.to_string().is_empty()));

    let mut lenient = Reader::new(format, bytes).skip_bad(budget);
    let passed = lenient.by_ref().take(MOST).filter(Result::is_ok).count();
    assert!(passed >= requests.len() && lenient.skipped() <= budget);
});
