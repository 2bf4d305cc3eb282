//! Recorded screens: what the display looks like in terminals of several sizes, and after several keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use inval_core::Strategy;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::app::{App, Wish};
use super::keys::KEYS;
use super::theme::Theme;
use crate::client::{State, Statistics};

const INTERVAL: Duration = Duration::from_secs(2);
/// Readings before the screen is drawn.
const READINGS: u64 = 40;
const ANEW: &str = "write it anew: WRITE_DOCS=1 cargo test -p inval-cli --bin inval screens";

/// A namespace whose numbers follow from `seed` and go up and down with `round`.
fn namespace(seed: u64, round: u64) -> Statistics {
    let mut statistics = Statistics {
        strategy: Some(Strategy::ALL[seed as usize % Strategy::ALL.len()]),
        state: Some(State::Ready),
        lag_ms: Some(3 * seed % 40),
        max_lag_ms: Some(1000),
        backlog: Some(seed % 5),
        ..Statistics::default()
    };
    for round in 0..=round {
        let hits = 1600 + 97 * seed + 40 * (round % 13);
        let misses = 300 + 50 * (round * (seed + 3) % 9);
        statistics.hits += hits;
        statistics.misses += misses;
        statistics.inserted.entries += misses;
        statistics.removed.evicted.entries += misses * (seed % 3);
        statistics.removed.expired.entries += if round % 8 == 1 { 900 } else { 0 };
        statistics.removed.replaced.entries += round % 2;
    }
    statistics.usage.entries = 1000 + 37 * seed;
    statistics.usage.bytes = (1000 + 37 * seed) * 1500;
    let reads = statistics.hits + statistics.misses;
    statistics.miss_ratio = Some(statistics.misses as f64 / reads as f64);
    statistics.peak = Some(statistics.usage);
    statistics
}

/// Some namespaces that differ, as they are in each of the readings.
fn some(round: u64) -> BTreeMap<String, Statistics> {
    let mut pages = namespace(5, round);
    pages.limits.max_bytes = Some(2 << 20);
    pages.evicted_age_ms.p50 = Some(16_383);
    pages.evicted_age_ms.p99 = Some(65_535);
    pages.evicted_idle_ms.p50 = Some(8_191);
    pages.evicted_idle_ms.p99 = Some(32_767);
    let mut sessions = namespace(2, round);
    sessions.limits.max_entries = Some(1000);
    sessions.lag_ms = Some(2500);
    sessions.backlog = Some(12_345);
    let mut carts = namespace(3, round);
    carts.state = Some(State::Paused);
    let mut search = namespace(8, round);
    search.state = Some(State::Failing);
    search.limits.max_bytes = Some(16 << 20);
    // As a store tells without a manager.
    let mut direct = namespace(0, round);
    (direct.state, direct.lag_ms, direct.max_lag_ms) = (None, None, None);
    (direct.backlog, direct.peak) = (None, None);
    let all = [
        ("carts", carts),
        ("direct", direct),
        ("pages", pages),
        ("search-results-by-language-and-country", search),
        ("sessions", sessions),
    ];
    all.map(|(name, statistics)| (name.to_owned(), statistics)).into()
}

fn many(round: u64) -> BTreeMap<String, Statistics> {
    let named = |seed| (format!("tenant-{seed:03}"), namespace(seed, round));
    (0..200).map(named).collect()
}

/// Those of them that a manual needs.
fn few(round: u64) -> BTreeMap<String, Statistics> {
    let mut few = some(round);
    few.retain(|name, _| ["carts", "pages", "sessions"].contains(&name.as_str()));
    few
}

/// A display after several readings, and the time of the last.
fn display(told: fn(u64) -> BTreeMap<String, Statistics>, theme: Theme) -> (App, Instant) {
    let mut app = App::new("inval 0.1.0 at 127.0.0.1:7171".to_owned(), INTERVAL, theme);
    let mut now = Instant::now() + Duration::from_hours(1);
    for round in 0..READINGS {
        now += INTERVAL;
        app.on_reading(Ok(told(round)), now);
    }
    (app, now)
}

fn drawn(app: &mut App, (width, height): (u16, u16), now: Instant) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| app.draw(frame, now)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width);
    let line = |row: &[ratatui::buffer::Cell]| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    };
    rows.map(line).collect()
}

/// Presses keys: characters, and those with a name in angle brackets.
fn press(app: &mut App, keys: &str) -> Wish {
    let mut wish = Wish::GoOn;
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (code, len) = match rest.find('>') {
            Some(end) if first == '<' => {
                let code = match &rest[1..end] {
                    "Enter" => KeyCode::Enter,
                    "Esc" => KeyCode::Esc,
                    "Down" => KeyCode::Down,
                    "Up" => KeyCode::Up,
                    "PgDn" => KeyCode::PageDown,
                    "PgUp" => KeyCode::PageUp,
                    "Home" => KeyCode::Home,
                    "End" => KeyCode::End,
                    "Backspace" => KeyCode::Backspace,
                    other => panic!("no such key: {other}"),
                };
                (code, end + 1)
            }
            _ => (KeyCode::Char(first), first.len_utf8()),
        };
        rest = &rest[len..];
        wish = app.on_key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    wish
}

/// Compares a text with a file, or writes it there.
fn hold(path: &Path, got: &str) {
    if env::var_os("WRITE_DOCS").is_some() {
        fs::write(path, got).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == got, "{}: {ANEW}\n{got}", path.display());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn screens_are_as_recorded() {
    let check = |name: &str, told, size, keys| {
        let (mut app, now) = display(told, Theme::Colours);
        // Pages are known once something has been drawn.
        drawn(&mut app, size, now);
        assert_eq!(press(&mut app, keys), Wish::GoOn, "{name}");
        let screen = text(&drawn(&mut app, size, now + Duration::from_millis(300)));
        hold(&root().join(format!("src/top/screens/{name}.txt")), &screen);
    };
    check("wide", some, (150, 32), "<Down><Down>");
    check("80x24", some, (80, 24), "");
    check("60x15", some, (60, 15), "");
    check("60x15-details", some, (60, 15), "<Down><Down><Enter>");
    check("80x24-help", some, (80, 24), "?");
    check("60x15-help", some, (60, 15), "?");
    check("80x24-filter", some, (80, 24), "/S");
    check("80x24-paused", some, (80, 24), "p");
    check("200-by-hits", many, (100, 30), "sssssrs<PgDn><PgDn>");
    check("none", |_| BTreeMap::new(), (80, 24), "");
}

#[test]
fn an_error_is_told_above_the_last_numbers() {
    let (mut app, now) = display(some, Theme::Colours);
    app.on_reading(Err("no daemon answers at 127.0.0.1:7171".to_owned()), now + INTERVAL);
    let buffer = drawn(&mut app, (80, 24), now + Duration::from_secs(12));
    hold(&root().join("src/top/screens/80x24-error.txt"), &text(&buffer));
    assert!(buffer[(10, 5)].modifier.contains(Modifier::DIM));
    app.on_reading(Ok(some(READINGS)), now + Duration::from_secs(13));
    let buffer = drawn(&mut app, (80, 24), now + Duration::from_secs(13));
    assert!(!text(&buffer).contains("no daemon answers"));
    assert!(!buffer[(10, 5)].modifier.contains(Modifier::DIM));
}

#[test]
fn the_manual_shows_a_screen_and_the_keys() {
    let (mut app, now) = display(few, Theme::Colours);
    press(&mut app, "<Down>");
    let screen = text(&drawn(&mut app, (100, 20), now));
    let keys: String = KEYS.iter().map(|(keys, what)| format!("| {keys} | {what} |\n")).collect();
    let path = root().join("README.md");
    let manual = fs::read_to_string(&path).unwrap();
    let (before, rest) = manual.split_once("```text\ninval 0.").unwrap();
    let (_, rest) = rest.split_once("```\n").unwrap();
    let (between, rest) = rest.split_once("| key | does |\n| --- | --- |\n").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let head = "| key | does |\n| --- | --- |\n";
    hold(&path, &format!("{before}```text\n{screen}```\n{between}{head}{keys}\n{after}"));
}

#[test]
fn it_draws_in_any_size() {
    for keys in ["", "<Enter>", "?", "/s"] {
        let (mut app, now) = display(some, Theme::Colours);
        press(&mut app, keys);
        for width in [0, 1, 2, 3, 8, 13, 24, 25, 26, 34, 59, 100] {
            for height in [0, 1, 3, 4, 15, 30] {
                drawn(&mut app, (width, height), now);
            }
        }
    }
}

#[test]
fn colours_say_nothing_that_words_do_not() {
    let has_colours = |theme| {
        let (mut app, now) = display(some, theme);
        app.on_reading(Err("away".to_owned()), now);
        let buffer = drawn(&mut app, (150, 32), now);
        let colours =
            buffer.content.iter().any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset));
        (colours, text(&buffer))
    };
    let ((with, coloured), (without, plain)) =
        (has_colours(Theme::Colours), has_colours(Theme::Plain));
    assert_eq!((with, without), (true, false));
    assert_eq!(coloured, plain);
    let row = |name: &str| plain.lines().find(|line| line.contains(name)).unwrap();
    assert!(row("sessions").contains(" late ") && row("sessions").contains(" 2.5s!"), "{plain}");
    assert!(row("search").contains(" failing ") && row("carts").contains(" paused "), "{plain}");
    // The cursor is a mark as well.
    assert!(row("carts").starts_with("> "), "{plain}");
}

/// The name that the cursor is on.
fn cursor(app: &mut App, now: Instant) -> String {
    let screen = text(&drawn(app, (60, 15), now));
    let row = screen.lines().find_map(|line| line.strip_prefix("> "));
    row.and_then(|row| row.split(' ').next()).unwrap_or_default().to_owned()
}

#[test]
fn the_cursor_goes_where_keys_say_and_stays_on_its_namespace() {
    let (mut app, now) = display(some, Theme::Plain);
    let mut check = |keys: &str, want: &str| {
        press(&mut app, keys);
        assert_eq!(cursor(&mut app, now), want, "{keys}");
    };
    check("", "carts");
    check("<Down>", "direct");
    check("jj", "search-results…");
    check("<Up>k", "direct");
    check("<Up><Up>", "carts");
    check("<End>", "sessions");
    check("<Down>", "sessions");
    check("<Home>", "carts");
    check("<PgDn>", "sessions");
    check("<PgUp>", "carts");
    check("<Down><Down>", "pages");
    // By state, reversed, then by something else: it is still there.
    check("srs", "pages");
    // It has gone from sight, and what is there takes its place.
    check("/sess<Enter>", "sessions");
    check("<Esc>", "pages");
    // What is typed is no command.
    check("/q", "");
    check("<Backspace>ca<Enter>", "carts");
    check("/<Esc>", "pages");
}

#[test]
fn rows_are_in_the_order_of_a_column() {
    let (mut app, now) = display(some, Theme::Plain);
    let mut check = |keys: &str, heading: &str, want: [&str; 5]| {
        press(&mut app, keys);
        let screen = text(&drawn(&mut app, (200, 15), now));
        assert!(screen.contains(heading), "{heading}: {screen}");
        let names: Vec<_> = app.rows().iter().map(|(name, _)| name.to_string()).collect();
        assert!(names.iter().zip(want).all(|(name, want)| name.starts_with(want)), "{names:?}");
    };
    check("", "namespace▲", ["carts", "direct", "pages", "search", "sessions"]);
    check("r", "namespace▼", ["sessions", "search", "pages", "direct", "carts"]);
    check("s", "state▼", ["search", "sessions", "carts", "direct", "pages"]);
    check("s", "entries▼", ["search", "pages", "carts", "sessions", "direct"]);
    check("sss", "hit ratio▼", ["carts", "direct", "search", "pages", "sessions"]);
    check("ssssss", "lag▼", ["sessions", "search", "pages", "carts", "direct"]);
    // What is not known stays at the end.
    check("r", "lag▲", ["carts", "pages", "search", "sessions", "direct"]);
    check("s", "namespace▲", ["carts", "direct", "pages", "search", "sessions"]);
}

#[test]
fn a_paused_display_stays_while_readings_go_on() {
    let (mut app, now) = display(some, Theme::Plain);
    let hits = |app: &mut App| {
        let screen = text(&drawn(app, (80, 24), now));
        screen.lines().nth(1).unwrap().to_owned()
    };
    let before = hits(&mut app);
    press(&mut app, "p");
    let mut later = some(READINGS + 1);
    later.values_mut().for_each(|statistics| statistics.hits *= 2);
    app.on_reading(Ok(later), now + INTERVAL);
    assert_eq!(hits(&mut app), before);
    press(&mut app, "p");
    assert_ne!(hits(&mut app), before);
}

#[test]
fn escape_closes_what_is_open_and_then_ends() {
    let (mut app, now) = display(some, Theme::Plain);
    let mut check = |keys: &str, want: Wish| {
        drawn(&mut app, (60, 15), now);
        assert_eq!(press(&mut app, keys), want, "{keys}");
    };
    check("?<Esc>", Wish::GoOn);
    check("<Enter><Esc>", Wish::GoOn);
    check("/s<Enter><Esc>", Wish::GoOn);
    check("<Esc>", Wish::Quit);
    check("q", Wish::Quit);
    check("?q", Wish::Quit);
    let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    press(&mut app, "/");
    assert_eq!(app.on_key(control('z')), Wish::Suspend);
    assert_eq!(app.on_key(control('c')), Wish::Quit);
}

#[test]
fn enter_shows_details_and_hides_them() {
    let (mut app, now) = display(some, Theme::Plain);
    let mut check = |size, keys: &str, want: bool| {
        drawn(&mut app, size, now);
        press(&mut app, keys);
        let screen = text(&drawn(&mut app, size, now));
        assert_eq!(screen.contains("evicted at"), want, "{screen}");
    };
    let (small, tall) = ((60, 15), (60, 30));
    check(small, "", false);
    check(tall, "", true);
    check(tall, "<Enter>", false);
    check(tall, "<Enter>", true);
    check(small, "", true);
    check(small, "<Enter>", false);
    check(small, "<Enter>", true);
}
