//! Filter, order and choice, by keyboard alone.

use serde_json::json;

use super::browser::{ENTER, ESCAPE, TAB};
use super::stage::Stage;

const NAMES: &str = "[...document.querySelectorAll('#list tbody a')].map(a => a.textContent)";
const FOCUSED: &str = "document.activeElement.textContent.trim()";

fn stage() -> Stage {
    let stage = Stage::set(
        "(stage.turn = (stage.turn ?? 0) + 1, {
           'img-1': stage.namespace({ usage: { entries: 90, bytes: 1 }, lag_ms: 5 }),
           'img-2': stage.namespace({ usage: { entries: 20, bytes: 1 }, hits: stage.turn * 10, misses: stage.turn * 30 }),
           'img-10': stage.namespace({ usage: { entries: 50, bytes: 1 }, lag_ms: 70, hits: stage.turn * 30 }),
           'pages': stage.namespace({ limits: { max_entries: null, max_bytes: null },
             removed: { evicted: { entries: stage.turn * 8, bytes: 0 } } }),
         })",
    );
    stage.pass(3);
    stage
}

#[test]
fn a_keyboard_is_enough() {
    let stage = stage();
    let browser = &stage.browser;
    assert_eq!(browser.ask(NAMES), json!(["img-1", "img-2", "img-10", "pages"]));
    browser.press(TAB);
    assert_eq!(browser.ask("document.activeElement.id"), "filter");
    browser.press("IMG");
    assert_eq!(browser.ask(NAMES), json!(["img-1", "img-2", "img-10"]));
    assert_eq!(browser.text("#shown"), "3 of 4 namespaces");
    browser.press("x");
    assert_eq!(browser.text("#nothing"), "No namespace has this in its name.");
    browser.press(ESCAPE);
    assert_eq!(browser.ask(NAMES), json!(["img-1", "img-2", "img-10", "pages"]));

    let check = |heading: &str, direction: &str, names: [&str; 4]| {
        browser.press(ENTER);
        assert_eq!(browser.ask(FOCUSED), heading);
        let sorted = browser.ask("[...document.querySelectorAll('[aria-sort]')].map(th => [th.textContent, th.ariaSort])");
        assert_eq!(sorted, json!([[heading, direction]]));
        assert_eq!(browser.ask(NAMES), json!(names), "{heading} {direction}");
    };
    browser.press(TAB);
    check("Namespace", "descending", ["pages", "img-10", "img-2", "img-1"]);
    browser.press(TAB);
    check("Usage", "descending", ["img-1", "img-10", "img-2", "pages"]);
    check("Usage", "ascending", ["pages", "img-2", "img-10", "img-1"]);
    browser.press(TAB);
    check("Hit ratio", "ascending", ["img-2", "img-10", "img-1", "pages"]);
    browser.press(TAB);
    check("Evicted/s", "descending", ["pages", "img-1", "img-2", "img-10"]);
    browser.press(TAB);
    check("Lag", "descending", ["img-10", "img-1", "img-2", "pages"]);

    browser.press(TAB);
    browser.press(TAB);
    assert_eq!(browser.ask(FOCUSED), "img-1");
    browser.press(ENTER);
    assert_eq!(browser.ask("location.hash"), "#/img-1");
    assert_eq!(browser.text("#who"), "img-1");
    assert_eq!(browser.ask("document.querySelector('[aria-current]').textContent"), "img-1");
    browser.press(ESCAPE);
    assert_eq!(browser.text("#who"), "All namespaces");
    assert_eq!(browser.ask("document.querySelector('[aria-current]')"), json!(null));
}

#[test]
fn rows_keep_their_places_under_the_keyboard() {
    let stage = stage();
    let browser = &stage.browser;
    browser.press(&[TAB; 7].concat());
    assert_eq!(browser.ask(FOCUSED), "img-1");
    stage.play("{ 'img-1': stage.namespace(), 'img-2': stage.namespace({ state: 'paused' }), 'new': stage.namespace() }");
    stage.pass(2);
    assert_eq!(browser.ask(NAMES), json!(["img-1", "img-2", "new"]));
    assert_eq!(browser.ask(FOCUSED), "img-1");
    browser.ask("document.activeElement.blur()");
    stage.pass(1);
    assert_eq!(browser.ask(NAMES), json!(["img-2", "img-1", "new"]));
}

#[test]
fn on_a_phone_list_and_details_take_turns() {
    let stage = stage();
    let browser = &stage.browser;
    browser.resize(360, 740);
    let is_shown = |selector: &str| {
        browser.ask(&format!("document.querySelector('{selector}').checkVisibility()")) == true
    };
    browser.ask("document.querySelector('#list tbody a').focus()");
    browser.press(ENTER);
    browser.until("document.activeElement.id == 'who'");
    assert!(!is_shown("#list") && is_shown("#facts"));
    browser.press(TAB);
    browser.press(ENTER);
    browser.until("document.activeElement.matches('#list tbody a')");
    assert!(is_shown("#list") && !is_shown("#facts"));
    let sort = "(value => { const sort = document.querySelector('#sort'); sort.value = value; \
                sort.dispatchEvent(new Event('change')); })('lag')";
    browser.ask(sort);
    assert!(is_shown("#sort") && is_shown("#list td.w-lag"));
    assert_eq!(browser.ask(NAMES), json!(["img-10", "img-1", "img-2", "pages"]));
}

/// What a screen reader is told of: a table with headings, charts in words.
#[test]
fn everything_has_a_name() {
    let stage = stage();
    let browser = &stage.browser;
    browser.ask("location.hash = '#/img-2'");
    browser.until("document.querySelector('#who').textContent == 'img-2'");
    let tree = browser.devtools("Accessibility.getFullAXTree", json!({}));
    let of_role = |role: &str| {
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let nodes = nodes.filter(|node| node["ignored"] == false && node["role"]["value"] == role);
        nodes
            .map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let has = |role: &str, start: &str| {
        let names = of_role(role);
        assert!(names.iter().any(|name| name.starts_with(start)), "{role}: {names:?}");
    };
    for role in ["image", "button", "link", "searchbox", "table", "columnheader", "rowheader"] {
        let names = of_role(role);
        assert!(!names.is_empty() && !names.contains(&String::new()), "{role}: {names:?}");
    }
    has("image", "Hit ratio over the last 10 minutes: between 25.0 % and 25.0 %");
    has(
        "image",
        "Removals by cause over the last 10 minutes: at most 0 per second; now expired 0, evicted 0",
    );
    has("image", "Duty cycle over the last 10 minutes: at most 1.00 %");
    has("columnheader", "Hit ratio");
    has("rowheader", "img-2");
    has("rowheader", "vanished");
    has("searchbox", "Filter");
    assert_eq!(browser.ask("document.documentElement.lang"), "en");
}
