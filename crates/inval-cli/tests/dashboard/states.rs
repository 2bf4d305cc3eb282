//! Health, and numbers that no well-behaved daemon tells, before a daemon that is played.

use serde_json::json;

use super::browser::Browser;
use super::daemon::Daemon;
use super::stage::Stage;

const NAMES: &str =
    "[...document.querySelectorAll('#list tbody a')].map(a => a.textContent.toWellFormed())";

#[test]
fn a_paused_namespace_is_announced() {
    let daemon = Daemon::start();
    daemon.create("pages", &json!({"ttl": "1h"}));
    daemon.create("users", &json!({"ttl": "1h"}));
    let browser = Browser::open();
    browser.go(&format!("http://{}/", daemon.address));
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(browser.text("#health"), "All 2 namespaces are ready");
    assert_eq!(browser.ask("document.querySelector('#health').getAttribute('role')"), "status");
    daemon.post("/v1/namespaces/users/pause");
    browser.until("document.title == 'inval: 1 needs attention'");
    assert_eq!(browser.text("#health"), "1 of 2 namespaces needs attention: users is paused");
    assert_eq!(browser.ask(NAMES), json!(["users", "pages"]));
    daemon.post("/v1/namespaces/users/resume");
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn those_that_need_attention_come_first_and_say_why() {
    let stage = Stage::set(
        "{ a: stage.namespace(), b: stage.namespace({ state: 'rebuilding' }), c: stage.namespace({ state: 'paused' }),
           d: stage.namespace({ lag_ms: 3200 }), e: stage.namespace({ state: 'failing' }) }",
    );
    let browser = &stage.browser;
    assert_eq!(browser.ask(NAMES), json!(["e", "d", "c", "b", "a"]));
    let health =
        "4 of 5 namespaces need attention: e is failing, d is late, c is paused and 1 more";
    assert_eq!(browser.text("#health"), health);
    let check = |name: &str, said: &str| {
        browser.ask(&format!("location.hash = '#/{name}'"));
        browser.until(&format!("document.querySelector('#who').textContent == '{name}'"));
        assert_eq!(browser.text("#said"), said);
    };
    check("d", "Upkeep is 3.2 s late; at most 1.0 s is wanted.");
    check("a", "");
    check("gone", "There is no namespace of this name.");
    // Why one fails is told by another answer.
    browser.ask(
        "(() => { const { tell } = stage; stage.tell = path => path !== 'v1/ready' ? tell(path)
           : { status: 'degraded', namespaces: [{ name: 'e', state: 'failing', failing_for_ms: 12000, error: '<b>no</b> connection' }] }; })()",
    );
    stage.pass(1);
    check("e", "Upkeep fails, for 12 s now: <b>no</b> connection");
}

#[test]
fn health_is_said_once_and_not_with_every_number() {
    let stage = Stage::set("{ a: stage.namespace({ hits: stage.hits = (stage.hits ?? 0) + 20 }) }");
    stage.browser.ask(
        "(() => { stage.said = 0; new MutationObserver(() => stage.said++).observe(document.querySelector('#health'), \
         { subtree: true, childList: true, characterData: true, attributes: true }); })()",
    );
    stage.pass(20);
    assert_eq!(stage.browser.ask("stage.said"), 0);
    assert_eq!(stage.browser.text("#reads"), "10.0 reads/s");
    stage.play("{ a: stage.namespace({ state: 'paused' }) }");
    stage.pass(20);
    assert_eq!(stage.browser.ask("stage.said"), 1, "words and tone together");
}

#[test]
fn a_counter_that_runs_back_makes_no_rate() {
    let stage =
        Stage::set("{ a: stage.namespace({ hits: stage.hits = (stage.hits ?? 5000) + 20 }) }");
    stage.pass(3);
    stage.browser.ask("location.hash = '#/a'");
    let reads = || stage.browser.text("#list tbody .w-reads");
    assert_eq!(reads(), "10.0");
    stage.browser.ask("stage.hits = 0");
    for _ in 0..8 {
        stage.pass(1);
        assert_eq!(reads(), "10.0", "the reset adds nothing and takes nothing away");
    }
    let drawn = stage.browser.ask("document.body.innerText.includes('NaN') || /-\\d/.test(document.querySelector('main').innerText)");
    assert_eq!(drawn, false);
}

#[test]
fn a_namespace_made_anew_begins_anew() {
    let stage = Stage::set("{ a: stage.namespace({ hits: stage.hits = (stage.hits ?? 0) + 20 }) }");
    stage.pass(5);
    stage.play("{}");
    stage.pass(1);
    assert_eq!(stage.browser.text("#health"), "There is no namespace yet");
    assert_eq!(stage.browser.text("#nothing"), "There is no namespace yet.");
    stage.play("{ a: stage.namespace({ hits: 90000 }) }");
    stage.pass(1);
    assert_eq!(stage.browser.text("#list tbody .w-reads"), "–");
    stage.pass(1);
    assert_eq!(stage.browser.text("#list tbody .w-reads"), "0");
}

#[test]
fn numbers_told_twice_keep_their_rate() {
    // The daemon reads them every other time, so that they are older then.
    let stage = Stage::set(
        "{ a: stage.namespace((stage.told = (stage.told ?? -1) + 1) % 2 ? { hits: (stage.told - 1) * 20, age_ms: 2000 } \
         : { hits: stage.told * 20, age_ms: 0 }) }",
    );
    stage.pass(4);
    for _ in 0..4 {
        stage.pass(1);
        assert_eq!(stage.browser.text("#list tbody .w-reads"), "10.0");
    }
}

/// The daemon restricts names; the page does not rely on it, nor on the types of what it is told.
#[test]
fn nothing_that_is_told_is_markup_or_breaks_the_page() {
    let stage = Stage::set(
        r#"JSON.parse(JSON.stringify({
          "<img src=x onerror='window.ran = 1'>": stage.namespace({ strategy: "<script>window.ran = 1<\/script>" }),
          "\"><svg onload=alert(1)>": stage.namespace({ state: "<b>", hits: "many", usage: { entries: -1, bytes: 1e308 } }),
          "constructor": {}, "health": null, "\ud800": {},
          "odd": stage.namespace({ state: { toString: 1 }, strategy: { toString: 1 }, usage: { entries: { valueOf: 1 } } }), "numbers": [1, 2], "text": "text",
          "far": stage.namespace({ hits: 2 ** 63, lag_ms: "<i>", limits: null, removed: null, peak: 7 }),
          "__PROTO__": stage.namespace({ state: "toString" }),
        }).replace("__PROTO__", "__proto__"))"#,
    );
    let browser = &stage.browser;
    stage.pass(3);
    let rows = "document.querySelectorAll('#list tbody tr').length";
    assert_eq!(browser.ask(rows), 10);
    let names = browser.ask(NAMES);
    let has = |name: &str| names.as_array().unwrap().iter().any(|other| other == name);
    assert!(has("<img src=x onerror='window.ran = 1'>") && has("__proto__"), "{names}");
    browser.ask("[...document.querySelectorAll('#list tbody a')].forEach(a => { a.click(); })");
    browser.ask("location.hash = document.querySelector('#list tbody a[title^=\"<img\"]').hash");
    browser.until("document.querySelector('#who').textContent.startsWith('<img')");
    assert_eq!(browser.text("#strategy"), "<script>window.ran = 1</script>");
    let strangers =
        "document.querySelectorAll('img, b:not(#duty), main script, [onload], [onerror]').length";
    assert_eq!(browser.ask(strangers), 0);
    assert_eq!(browser.ask("window.ran === undefined"), true);
    for nonsense in ["null", "[]", "{}", "{ namespaces: 3 }", "'text'"] {
        browser.ask(&format!("(() => {{ stage.tell = () => ({nonsense}) ?? undefined; }})()"));
        stage.pass(8);
        let health = browser.text("#health");
        assert!(health.contains("what answers is not the daemon"), "{nonsense}: {health}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
