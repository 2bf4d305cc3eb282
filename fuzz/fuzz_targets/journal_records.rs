//! Whatever the bytes, records and batches of reads are taken for what they are, or for nothing.
#![no_main]

use inval_core::record::{AccessBatch, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::decode(bytes) {
        // Numbers may have had leading zeros, so only what is written is compared with what is read.
        let written = record.encode();
        assert!(Record::decode(&written) == Ok(record));
        assert!(written.len() <= bytes.len());
    }
    let told: usize = AccessBatch::keys(bytes).map(|key| key.len() + 2).sum();
    assert!(told <= bytes.len());

    let Some((&kind, rest)) = bytes.split_first() else { return };
    let Some((numbers, key)) = rest.split_at_checked(12) else { return };
    let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| numbers[at + i]));
    let ttl_ms = (kind & 4 == 0).then(|| u64::from(number(4)) << 32 | u64::from(number(8)));
    let record = match kind & 3 {
        0 => Record::Deleted { key },
        1 => Record::Look { key },
        _ => Record::Put { key, bytes: number(0), ttl_ms },
    };
    let is_key = (1..=65_535).contains(&key.len());
    assert_eq!(Record::decode(&record.encode()) == Ok(record), is_key);
});
