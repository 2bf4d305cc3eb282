//! Traces from the outside: every format, every compression, and every way they can be broken.

#![cfg(test)]

use std::io::{self, Read, Write};

use inval_replay::Request;
use inval_replay::trace::{
    Bytes, Compression, Format, MAX_LINE_LEN, Malformed, Reader, TraceError,
};

/// A request as a short text: `time/key/size`.
fn shown(request: Request) -> String {
    let part = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
    format!("{}/{}/{}", part(request.time_ms), request.key, part(request.size.map(u64::from)))
}

/// Reads `input` to its end; errors stand in the list as their text.
fn read(format: Format, input: &[u8], budget: u64) -> Vec<String> {
    Reader::new(format, input)
        .named("t")
        .skip_bad(budget)
        .map(|request| request.map_or_else(|e| e.to_string(), shown))
        .collect()
}

#[test]
fn every_format_yields_its_requests() {
    let check = |format, input: &[u8], want: &[&str]| {
        assert_eq!(read(format, input, 0), want, "{format} {}", input.escape_ascii());
    };
    check(Format::Csv, b"time_s,key,size_bytes,op\n0,1,,\n1.25,2,30,set\n", &["0/1/", "1250/2/30"]);
    check(Format::Csv, b"key\r\n1\r\n\r\n2", &["/1/", "/2/"]);
    check(Format::Csv, b"key\n", &[]);
    check(Format::Csv, b"", &["t:1: a CSV trace needs a header line"]);
    check(Format::Csv, b"\nkey\n", &["t:1: the header has no column named key"]);
    check(
        Format::Keys,
        b"7\n\nuser:1\n007\n",
        &["/7/", "/17869608953374579947/", "/5656221068875067950/"],
    );
    check(Format::Keys, b"\xff\x00", &["/763824163880569834/"]);
    check(Format::Lis, b"5 3 0 1\n9 0 0 2\n\n9 1 0 3\n", &["/5/", "/6/", "/7/", "/9/"]);
    check(Format::OracleGeneral, b"", &[]);
    check(Format::Keys, b"", &[]);
}

#[test]
fn records_are_little_endian_and_size_0_is_unknown() {
    let record = |time: u32, key: u64, size: u32| {
        let parts: [&[u8]; 4] =
            [&time.to_le_bytes(), &key.to_le_bytes(), &size.to_le_bytes(), &(-1_i64).to_le_bytes()];
        parts.concat()
    };
    let two = [record(3, u64::MAX, 512), record(u32::MAX, 0, 0)].concat();
    let want = ["3000/18446744073709551615/512", "4294967295000/0/"];
    assert_eq!(read(Format::OracleGeneral, &two, 0), want);
    let cut = read(Format::OracleGeneral, &two[..47], 9);
    assert_eq!(cut, [want[0], "t: record 2 is cut off after 23 of 24 bytes"]);
}

#[test]
fn the_first_bad_line_ends_the_trace_and_names_its_place() {
    let check = |format, input: &str, want: &[&str]| {
        assert_eq!(read(format, input.as_bytes(), 0), want, "{input:?}");
    };
    check(
        Format::Csv,
        "key\n1\n\n2,\n2\n",
        &["/1/", "t:4: more fields than the header has columns"],
    );
    check(Format::Csv, "key,size_bytes\n1,x\n2,1\n", &["t:2: size_bytes is not a whole number"]);
    check(Format::Lis, "1 1\nx\n1 1\n", &["/1/", "t:2: the first block is not a whole number"]);
    check(
        Format::Keys,
        &format!("1\n{}\n2\n", "k".repeat(MAX_LINE_LEN + 1)),
        &["/1/", "t:2: the line is longer than 1048576 bytes"],
    );
}

#[test]
fn a_budget_passes_over_bad_lines_and_counts_them() {
    let check = |input: &str, budget, want: &[&str], skipped| {
        assert_eq!(read(Format::Csv, input.as_bytes(), budget), want, "{input:?} with {budget}");
        let mut reader = Reader::new(Format::Csv, input.as_bytes()).skip_bad(budget);
        reader.by_ref().for_each(drop);
        assert_eq!(reader.skipped(), skipped, "{input:?} with {budget}");
    };
    let input = "key,size_bytes\n1,x\n2,\n3\n4,\n";
    check(input, 2, &["/2/", "/4/"], 2);
    check(input, 1, &["/2/", "t:4: fewer fields than the header has columns"], 1);
    let overlong = format!("key\n1\n{}\n2\n", "k".repeat(3 * MAX_LINE_LEN));
    check(&overlong, 1, &["/1/", "/2/"], 1);
    check("size_bytes\n1\n", 9, &["t:1: the header has no column named key"], 0);
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Reads keys from `bytes` under `name`: how many there are, or the error.
fn count(name: &str, bytes: Vec<u8>) -> Result<usize, TraceError> {
    let bytes: Bytes = Box::new(io::Cursor::new(bytes));
    Reader::decompress(name, Format::Keys, bytes)?.try_fold(0, |n, key| key.map(|_| n + 1))
}

#[test]
fn compression_is_seen_in_the_data_whatever_the_name() {
    let check = |bytes: &[u8], want| {
        for name in ["t.txt", "stdin"] {
            assert_eq!(count(name, bytes.to_vec()).unwrap(), want);
        }
    };
    check(b"1\n2\n", 2);
    check(b"1", 1);
    check(b"", 0);
    check(&zstd(b"1\n2\n"), 2);
    check(&gzip(b"1\n2\n"), 2);
    check(&[gzip(b"1\n2"), gzip(b"3\n4\n")].concat(), 3);
    check(&[zstd(b"1\n2"), zstd(b"3\n4\n")].concat(), 3);
    check(&zstd(&b"1234567\n".repeat(100_000)), 100_000);
}

#[test]
fn damaged_data_is_an_error() {
    let check = |name: &str, bytes: Vec<u8>, want| match count(name, bytes) {
        Err(TraceError::Corrupt { compression, .. }) => assert_eq!(compression, want, "{name}"),
        other => panic!("{name}: {other:?}"),
    };
    let keys = b"1234567\n89\n".repeat(1000);
    for (name, packed, kind) in
        [("a.zst", zstd(&keys), Compression::Zstd), ("a.gz", gzip(&keys), Compression::Gzip)]
    {
        check(name, packed[..packed.len() - 5].to_vec(), kind);
        check(name, packed[..9].to_vec(), kind);
        check(name, keys.clone(), kind);
        check(name, Vec::new(), kind);
        let mut flipped = packed;
        let last = flipped.len() - 3;
        flipped[last] ^= 0xff;
        check(name, flipped, kind);
    }
    check("a.zst", gzip(&keys), Compression::Zstd);
    check("a.gz", zstd(&keys), Compression::Gzip);
}

#[test]
fn a_file_is_opened_and_a_missing_one_is_an_io_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv.gz");
    std::fs::write(&path, gzip(b"key\n1\n2\n")).unwrap();
    assert_eq!(Reader::open(&path, Format::Csv).unwrap().count(), 2);
    let missing = Reader::open(&dir.path().join("none.csv"), Format::Csv).err().unwrap();
    assert!(matches!(missing, TraceError::Io { .. }), "{missing}");
    assert!(!missing.is_malformed());
}

/// Fails with an error of the operating system once its bytes are read.
struct Failing(io::Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::from_raw_os_error(5)),
            len => Ok(len),
        }
    }
}

#[test]
fn a_failing_disk_is_not_taken_for_damaged_data() {
    let packed = zstd(&(0..10_000).flat_map(|n| format!("{n}\n").into_bytes()).collect::<Vec<_>>());
    for bytes in [packed[..packed.len() / 2].to_vec(), b"1\n23\n".to_vec()] {
        let bytes: Bytes = Box::new(Failing(io::Cursor::new(bytes)));
        let reader = Reader::decompress("t", Format::Keys, bytes).unwrap();
        let error = reader.filter_map(Result::err).next().unwrap();
        assert!(matches!(error, TraceError::Io { .. }), "{error}");
    }
}

#[test]
fn errors_never_show_what_a_line_holds() {
    let inputs = ["key,size_bytes\nsecret,secret\n", "secret\n1\n", "time_s,key\nsecret,1\n"];
    for input in inputs {
        for line in read(Format::Csv, input.as_bytes(), 0) {
            assert!(!line.contains("secret"), "{line}");
        }
    }
    let error = Reader::new(Format::Lis, &b"secret"[..]).next().unwrap().unwrap_err();
    assert!(matches!(error, TraceError::Line { line: 1, reason: Malformed::FirstBlock, .. }));
    assert!(!format!("{error} {error:?}").contains("secret"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic_or_go_on_after_an_error(
        format in 0..4_usize,
        bytes in proptest::collection::vec(
            proptest::prop_oneof![proptest::sample::select(b"0123456789,.\"\n\r -key".to_vec()), proptest::num::u8::ANY],
            0..200,
        ),
        budget in 0..3_u64,
    ) {
        let mut reader = Reader::new(Format::ALL[format], &bytes[..]).skip_bad(budget);
        let mut failed = false;
        for request in reader.by_ref().take(1000) {
            assert!(!failed, "a request after an error");
            failed = request.is_err();
        }
        assert!(reader.skipped() <= budget);
    }
}
