//! What can be read, in the light, in the dark and on a phone.

use serde_json::json;

use super::stage::Stage;

/// Namespaces in every state, with long names and large numbers.
const CROWD: &str = "{
  ['n'.repeat(64)]: stage.namespace({ usage: { entries: 123456789, bytes: 2 ** 50 }, limits: { max_entries: 123456788, max_bytes: 2 ** 50 },
    hits: (stage.turn = (stage.turn ?? 0) + 1) * 9e9, misses: stage.turn * 1e9, evicted_age_ms: { p50: 123456789, p99: 1e10 },
    removed: { expired: { entries: stage.turn * 4e9 }, evicted: { entries: stage.turn * 5e9 }, vanished: { entries: stage.turn * 1e9 } } }),
  ['a.b-'.repeat(16)]: stage.namespace({ state: 'failing' }), c: stage.namespace({ state: 'paused' }), d: stage.namespace({ lag_ms: 86400000 }),
  e: stage.namespace({ state: 'rebuilding', limits: {} }) }";

/// The least contrast between a visible text and what lies under it (WCAG 2), and that text.
const CONTRAST: &str = "(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => { const [r, g, b] = numbers(colour).map(part => (part /= 255) <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const under = node => { for (; node; node = node.parentElement) { const colour = getComputedStyle(node).backgroundColor;
    if ((numbers(colour)[3] ?? 1) === 1) return colour; } };
  let least = [99];
  for (const node of document.querySelectorAll('body *')) {
    const said = [...node.childNodes].filter(child => child.nodeType === 3).map(child => child.data.trim()).join('');
    if (!said || !node.checkVisibility() || node.closest('.apart, template, script, style, noscript')) continue;
    const [dark, bright] = [light(getComputedStyle(node).color), light(under(node))].sort((a, b) => a - b);
    const contrast = (bright + .05) / (dark + .05);
    if (contrast < least[0]) least = [contrast, said];
  }
  return least;
})()";

#[test]
fn every_text_stands_out_in_the_light_and_in_the_dark() {
    let stage = Stage::set(CROWD);
    let browser = &stage.browser;
    stage.pass(3);
    let check = |what: &str| {
        let least = browser.ask(CONTRAST);
        assert!(least[0].as_f64().unwrap() >= 4.5, "{what}: {least}");
        println!("{what}: the least contrast is {least}");
    };
    let page = || browser.ask("getComputedStyle(document.body).backgroundColor");
    let mut pages = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer("prefers-color-scheme", scheme);
        pages.push(page());
        check(scheme);
        browser.ask("location.hash = '#/c'");
        browser.until("document.querySelector('#who').textContent == 'c'");
        check(scheme);
        browser.ask("stage.told = stage.tell, stage.tell = () => null");
        stage.pass(2);
        check(&format!("{scheme}, connection lost"));
        browser.ask("stage.tell = stage.told, location.hash = ''");
        stage.pass(2);
    }
    assert_eq!(pages, ["rgb(244, 245, 247)", "rgb(18, 21, 24)"]);
}

#[test]
fn causes_differ_in_colour_and_in_pattern() {
    let stage = Stage::set(CROWD);
    let check = |scheme: &str| {
        stage.browser.prefer("prefers-color-scheme", scheme);
        let looks = "['expired', 'evicted', 'invalidated', 'replaced', 'vanished'].map(cause => { \
            const pattern = document.getElementById('p-' + cause); \
            return [getComputedStyle(pattern).color, pattern.innerHTML]; })";
        let looks = stage.browser.ask(looks);
        let looks = looks.as_array().unwrap();
        for (at, look) in looks.iter().enumerate() {
            for other in &looks[..at] {
                assert!(look[0] != other[0] && look[1] != other[1], "{look} {other}");
            }
        }
    };
    check("light");
    check("dark");
}

#[test]
fn a_phone_scrolls_in_one_direction() {
    let stage = Stage::set(CROWD);
    let browser = &stage.browser;
    stage.pass(3);
    let check = |width: u32, hash: &str| {
        browser.resize(width, 740);
        browser.ask(&format!("location.hash = {hash}"));
        browser
            .ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let widths = browser
            .ask("[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]");
        assert_eq!(widths, json!([width, width, width]), "{hash}");
        let cut = "[...document.querySelectorAll('main *')].filter(node => node.scrollWidth > node.clientWidth && \
                   !['inline', 'none'].includes(getComputedStyle(node).display) && node.id !== 'list' && \
                   !node.closest('#list th, .apart')).map(node => node.outerHTML.slice(0, 200))";
        assert_eq!(browser.ask(cut), json!([]), "{width} {hash}");
    };
    for width in [360, 390, 768, 1100, 1280] {
        check(width, "''");
        check(width, "'#/' + 'n'.repeat(64)");
        check(width, "'#/e'");
    }
}

#[test]
fn nothing_moves_for_who_prefers_that() {
    let stage = Stage::set(CROWD);
    let duration = "getComputedStyle(document.querySelector('.bar i')).transitionDuration";
    assert_eq!(stage.browser.ask(duration), "0.3s");
    stage.browser.prefer("prefers-reduced-motion", "reduce");
    assert_eq!(stage.browser.ask(duration), "0s");
}
