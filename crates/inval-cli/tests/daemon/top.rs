//! `inval top` against a daemon that plays its part, on a real terminal where there is one.

use super::inval;

#[test]
fn where_there_is_no_terminal_another_command_is_named() {
    let (code, stdout, stderr) = inval(&["top"], b"", "http://127.0.0.1:1");
    let want = "inval: this needs a terminal; `inval stats --watch` writes anywhere\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (2, "", want));
}

#[cfg(target_os = "linux")]
mod on_a_terminal {
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use vt100::{Color, Screen};

    use super::super::statistics;
    use super::super::support::{Answer, Daemon, answer};
    use super::super::terminal::Terminal;

    /// What a daemon tells, which can be changed; nothing is the end of it.
    type Told = Arc<Mutex<Option<Answer>>>;

    fn readings(hits: u64) -> Answer {
        let all = json!({ "users": statistics(hits, 0), "pages": statistics(2 * hits, hits) });
        answer(200, &json!({ "namespaces": all }).to_string())
    }

    /// `inval top` in a terminal of 100 by 24, showing what a daemon tells.
    fn top(variables: &[(&str, &str)]) -> (Terminal, Told) {
        let told = Told::new(Mutex::new(Some(readings(0))));
        let telling = Arc::clone(&told);
        let daemon = Daemon::telling(move || telling.lock().unwrap().clone());
        let args = ["top", "--interval", "100ms", "--daemon", &daemon.url];
        let terminal = Terminal::running(&args, variables, (100, 24));
        terminal.until_shown("2 namespaces: 2 ready");
        (terminal, told)
    }

    /// The name of the namespace that the cursor is on.
    fn cursor(screen: &Screen) -> String {
        let text = screen.contents();
        let row = text.lines().find_map(|line| line.strip_prefix("> ")).unwrap_or_default();
        row.split(' ').next().unwrap_or_default().to_owned()
    }

    /// The program has ended well and left nothing of itself on the terminal.
    fn check_restored(mut terminal: Terminal) {
        let status = terminal.wait();
        assert_eq!(status.code(), Some(0));
        let text = terminal.until("the screen from before is back", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        });
        assert_eq!(text.trim(), "");
        assert!(terminal.is_for_lines());
    }

    #[test]
    fn keys_change_what_is_shown_and_q_gives_the_terminal_back() {
        let (mut terminal, told) = top(&[]);
        terminal.until("a screen of its own", |screen| {
            screen.alternate_screen() && screen.hide_cursor() && cursor(screen) == "pages"
        });
        assert!(!terminal.is_for_lines());
        // There are rates as soon as there is something to compare with.
        terminal.until_shown("hits 0.0/s");
        terminal.press("j");
        terminal.until("the cursor is on the next", |screen| cursor(screen) == "users");
        terminal.press("\x1b[A");
        terminal.until("the cursor is back", |screen| cursor(screen) == "pages");
        terminal.press("s");
        terminal.until_shown("state▼");
        terminal.press("/USE\r");
        terminal.until_shown("; 1 with \"USE\"");
        terminal.until("the others are hidden", |screen| cursor(screen) == "users");
        terminal.until_shown("12ms of 1s; backlog 3, rejected 1");
        terminal.press("\r");
        terminal.until("they are hidden", |screen| !screen.contents().contains("12ms of 1s"));
        terminal.press("\r");
        terminal.until_shown("12ms of 1s");
        terminal.press("?");
        terminal.until_shown("┌ Keys ─");
        terminal.press("?");
        // A key that comes in the same instant as a new size is read with the next key only.
        terminal.until("the help is closed", |screen| !screen.contents().contains("┌ Keys ─"));
        terminal.resize((60, 15));
        let small = terminal.until("it fits the smaller terminal", |screen| {
            let rows: Vec<String> = screen.rows(0, 60).collect();
            rows[0].ends_with("every 100ms") && rows[14].starts_with("q end")
        });
        assert!(!small.contains("Keys"), "{small}");

        *told.lock().unwrap() = None;
        let away = terminal.until_shown("! no daemon answers at 127.0.0.1");
        assert!(away.contains("12ms of 1s"), "the last numbers stay: {away}");
        terminal.press("q");
        check_restored(terminal);
    }

    #[test]
    fn signals_end_it_and_give_the_terminal_back() {
        for signal in ["TERM", "INT", "HUP"] {
            let (terminal, _told) = top(&[]);
            terminal.signal(signal);
            check_restored(terminal);
        }
        let (mut terminal, _told) = top(&[]);
        terminal.press("\x03");
        check_restored(terminal);
    }

    #[test]
    fn it_lets_go_of_the_terminal_while_it_is_suspended() {
        let (mut terminal, _told) = top(&[]);
        terminal.press("\x1a");
        terminal.until_stopped();
        terminal.until("the screen from before is back", |screen| !screen.alternate_screen());
        assert!(terminal.is_for_lines());
        terminal.signal("CONT");
        terminal.until("all is drawn again", |screen| {
            screen.alternate_screen() && cursor(screen) == "pages"
        });
        assert!(!terminal.is_for_lines());
        // As another program or a shell would do it.
        terminal.signal("TSTP");
        terminal.until_stopped();
        assert!(terminal.is_for_lines());
        terminal.signal("CONT");
        terminal.until("all is drawn again", |screen| screen.alternate_screen());
        terminal.press("q");
        check_restored(terminal);
    }

    #[test]
    fn colours_are_for_those_who_want_them() {
        let late = || {
            let mut late = statistics(0, 0);
            late["lag_ms"] = json!(5000);
            answer(200, &json!({ "namespaces": { "users": late } }).to_string())
        };
        let check = |variables: &[(&str, &str)], want: Color| {
            let (mut terminal, told) = top(variables);
            *told.lock().unwrap() = Some(late());
            terminal.until_shown("5.0s!");
            terminal.until("it is in its colour", |screen| {
                let row = screen.rows(0, 100).position(|row| row.starts_with("> users")).unwrap();
                let text = screen.rows(0, 100).nth(row).unwrap();
                let column = text.find("late").unwrap();
                let cell = screen.cell(row as u16, column as u16).unwrap();
                cell.fgcolor() == want
            });
            terminal.press("q");
            check_restored(terminal);
        };
        check(&[], Color::Idx(3));
        check(&[("NO_COLOR", "1")], Color::Default);
        check(&[("TERM", "vt220")], Color::Default);
    }

    #[test]
    fn only_if_the_first_reading_fails_the_command_does() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{closed}");
        let mut terminal = Terminal::running(&["top", "--daemon", &url], &[], (100, 24));
        assert_eq!(terminal.wait().code(), Some(4));
        terminal.until_shown("inval: no daemon answers at 127.0.0.1");
        assert!(!terminal.written().contains(&0x1b), "nothing was done to the terminal");
        let mut terminal = Terminal::running(&["top"], &[("TERM", "dumb")], (100, 24));
        assert_eq!(terminal.wait().code(), Some(2));
    }
}
