//! An hour before the page with two hundred namespaces: it takes no more than it did after a while.

use serde_json::json;

use super::browser::Browser;
use super::stage::Stage;

/// Two hundred namespaces under changing load, some of them paused and resumed all the time; the last one is always
/// another.
const CROWD: &str = "(stage.turn = (stage.turn ?? 0) + 1, Object.fromEntries(Array.from({ length: 200 }, (_, i) => {
  const n = stage.turn * (i + 1), amount = entries => ({ entries, bytes: entries * 100 });
  return [i < 199 ? 'cache-' + i : 'passing-' + stage.turn, stage.namespace({
    state: (stage.turn + i) % 97 ? 'ready' : 'paused', lag_ms: n % 900, usage: amount(n % 1000), limits: { max_entries: 1000, max_bytes: null },
    hits: n * 7 + n % 13, misses: n * 3, inserted: amount(n * 3), backlog: n % 50,
    removed: { expired: amount(n), evicted: amount(n * 2), invalidated: amount(n % 5 + n), replaced: amount(n), vanished: amount(0) },
  })];
})))";

/// Answers without a frame drawn.
const BATCH: u32 = 50;

/// Bytes that the script has in use, in its heap and in arrays, and nodes, after everything unused was thrown away.
fn taken(browser: &Browser) -> (f64, f64) {
    browser.devtools("HeapProfiler.collectGarbage", json!({}));
    let heap = browser.devtools("Runtime.getHeapUsage", json!({}));
    let counters = browser.devtools("Memory.getDOMCounters", json!({}));
    let bytes = ["usedSize", "backingStorageSize"].map(|part| heap[part].as_f64().unwrap());
    (bytes.iter().sum(), counters["nodes"].as_f64().unwrap())
}

#[test]
fn an_hour_with_two_hundred_namespaces() {
    let stage = Stage::set(CROWD);
    let browser = &stage.browser;
    browser.ask("location.hash = '#/cache-7'");
    browser.ask("document.querySelector('[data-sort=evicted]').click()");
    // Frames are drawn in between, as are those that a test does not wait for.
    let pass = |polls: u32| (0..polls / BATCH).for_each(|_| stage.pass(BATCH));
    pass(600);
    let before = taken(browser);
    browser.ask("stage.spent = 0");
    pass(1200);
    let after = taken(browser);
    let spent = browser.ask("stage.spent").as_f64().unwrap();
    println!("bytes and nodes after 600 answers {before:?}, after 1,800 {after:?}");
    println!("script time for an answer: {:.2} ms", spent / 1200.0);
    assert_eq!(browser.ask("document.querySelectorAll('#list tbody tr').length"), 200);
    assert!(browser.text("#shown").starts_with("200 "));
    assert_eq!(after.1, before.1, "nodes");
    // Twelve hundred namespaces have come and gone meanwhile. Each of them took more than 10 KB.
    assert!(after.0 < before.0 * 1.1, "{before:?} {after:?}");
    assert_eq!(browser.complaints(), [""; 0]);
}
