//! Whatever the bytes and the name, a compressed trace is read to its end or refused with an error.
#![no_main]

use std::io::Cursor;

use inval_replay::{Format, Reader};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 3] = ["trace", "trace.zst", "trace.gz"];
/// What little input inflates to can be long: no input takes more requests than this.
const MOST: usize = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let choice = usize::from(*choice);
    let format = Format::ALL[choice % Format::ALL.len()];
    let name = NAMES[choice / Format::ALL.len() % NAMES.len()];
    let input = Box::new(Cursor::new(bytes.to_vec()));
    match Reader::decompress(name, format, input) {
        Ok(reader) => {
            if let Some(Err(error)) = reader.take(MOST).last() {
                assert!(error.to_string().contains(name));
            }
        }
        Err(error) => assert!(error.to_string().contains(name)),
    }
});
