//! What files and variables give, and the exact words about what is wrong with them.

use std::time::Duration;

use inval_core::Strategy;
use inval_core::pacing::PacingSettings;
use inval_redis::Credentials;
use proptest::prelude::{Just, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;

use super::super::example::Example;
use super::*;

/// The settings of a text and of variables, or what is said about them.
fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let variables = variables.iter().copied().collect();
    Settings::parse("inval.toml", text, &variables).map_err(|error| error.to_string())
}

fn parsed(text: &str, variables: &[(&str, &str)]) -> Settings {
    parse(text, variables).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const BOUND: &str = "[namespaces.a]\nmax_entries = 100\n";

#[test]
fn every_value_gets_to_its_place() {
    let settings = parsed(
        r#"
store = "redis://127.0.0.1/3"
store_credentials = "/run/secret"
http = { listen = "[::1]:80", max_body = 4096 }
manager.max_lag = "2s"
redis.lease = "7s"
redis.overall_timeout = "9s"
[namespaces."web.pages"]
strategy = "lru"
max_entries = 100_000
max_bytes = "256 MiB"
ttl = "10m"
ttl_jitter = 0.1
partitions = 4
manager.max_lag = "3s"
"#,
        &[],
    );
    assert_eq!(settings.store.to_string(), "redis://127.0.0.1:6379/3");
    assert_eq!(settings.connect_options().credentials, Credentials::File("/run/secret".into()));
    assert_eq!(settings.connect_options().overall_timeout, Duration::from_secs(9));
    assert_eq!(settings.http.listen.to_string(), "[::1]:80");
    assert_eq!(settings.http.max_body, inval_replay::ByteSize(4096));
    let namespace = settings.namespaces["web.pages"];
    assert_eq!(namespace.config.strategy(), Strategy::Lru);
    assert_eq!(namespace.config.max_entries(), Some(100_000));
    assert_eq!(namespace.config.max_bytes(), Some(256 << 20));
    assert_eq!(namespace.config.ttl(), Some(Duration::from_secs(600)));
    assert_eq!(namespace.config.ttl_jitter(), 0.1);
    assert_eq!(namespace.pacing.max_lag, Duration::from_secs(3));
    let options = settings.cache_options(&namespace);
    assert_eq!((options.partitions, options.engine.lease), (4, Duration::from_secs(7)));
    assert_eq!(settings.warnings, []);
}

#[test]
fn variables_win_over_the_file() {
    let text = "[http]\nlisten = \"127.0.0.1:1\"\n[manager]\nduty_cycle = 0.1\n";
    let settings = parsed(
        text,
        &[
            ("INVAL_STORE", "redis://bob:hush@host"),
            ("INVAL_HTTP_LISTEN", "127.0.0.1:2"),
            ("INVAL_MANAGER_DUTY_CYCLE", "0.25"),
            ("INVAL_MANAGER_MOST_BATCH", "1000"),
            ("INVAL_REDIS_SCRIPT_BUDGET", "250us"),
            ("INVAL_REDIS_LEASE", ""),
        ],
    );
    assert_eq!(settings.store.to_string(), "redis://host:6379");
    assert_eq!(settings.http.listen.port(), 2);
    assert_eq!((settings.pacing.duty_cycle, settings.pacing.most_batch), (0.25, 1000));
    assert_eq!(settings.redis.engine.script_budget, Duration::from_micros(250));
    assert_eq!(settings.redis.engine.lease, Duration::from_secs(5), "an empty variable is not set");
    assert_eq!(settings.warnings, [], "the password is not in the file");
}

#[test]
fn every_field_has_a_variable_that_sets_it() {
    for field in FIELDS {
        let shown = (field.show)(&Settings::default());
        let value = shown.or(field.example.map(str::to_owned)).unwrap().replace('"', "");
        let mut settings = Settings::default();
        (field.set)(&mut settings, Input::Variable(&value)).unwrap();
        assert_eq!((field.differs)(&settings, &Settings::default()), field.example.is_some());
        let error = parse("", &[(&field.variable(), "\u{1}")]);
        let is_path = field.example.is_some();
        assert!(is_path || error.unwrap_err().starts_with(&field.variable()), "{}", field.name);
    }
}

#[test]
fn variables_of_others_are_let_be() {
    let others = ["REDIS_USER", "REDIS_PASSWORD", "REDIS_SERVER", "VALKEY_SERVER"];
    for name in others.into_iter().chain(["CONFIG", "DAEMON", "LOG", "MANAGERS", "STORES"]) {
        assert_eq!(
            parse("", &[(&format!("INVAL_{name}"), "x")]),
            Ok(Settings::default()),
            "{name}"
        );
    }
    assert_eq!(parse("", &[("HTTP_LISTEN", "x")]), Ok(Settings::default()));
}

#[test]
fn what_is_not_said_follows_what_is() {
    let ms = Duration::from_millis;
    let lag =
        |settings: PacingSettings| (settings.min_interval, settings.max_interval, settings.max_lag);
    let settings = parsed("[namespaces.a]\nttl = \"1s\"\nmanager.max_lag = \"200ms\"", &[]);
    assert_eq!(lag(settings.pacing), (ms(1), ms(500), ms(1000)));
    let namespace = settings.namespaces["a"];
    assert_eq!(lag(namespace.pacing), (ms(1), ms(100), ms(200)));
    let settings = parsed("", &[("INVAL_MANAGER_MAX_LAG", "2ms")]);
    assert_eq!(lag(settings.pacing), (ms(1), ms(1), ms(2)));
    assert_eq!(parsed("redis.overall_timeout = \"1ms\"", &[]).redis.response_timeout, ms(1));
}

#[test]
fn a_password_in_the_file_is_warned_of() {
    let settings = parsed("\nstore = \"redis://bob:hush@host\"\n", &[]);
    let warnings: Vec<String> = settings.warnings.iter().map(Warning::to_string).collect();
    assert_eq!(
        warnings,
        [
            "line 2: the URL holds user or password; better keep them in a file or the environment, and \
          name that in store_credentials"
        ]
    );
    assert_eq!(parsed("store = \"redis://host\"", &[]).warnings, []);
}

#[test]
fn errors_say_where_what_and_what_instead() {
    let check = |text: &str, want: &str| assert_eq!(parse(text, &[]).unwrap_err(), want);
    check(
        "[manager]\nmax_lags = \"1s\"\n",
        "inval.toml:2:1: there is no field max_lags here; is it max_lag?\n\
         \x20 |\n2 | max_lags = ***\n  | ^^^^^^^^",
    );
    check(
        "[http]\nport = 80\n",
        "inval.toml:2:1: there is no field port here; known are listen, max_body, request_timeout, \
         drain_timeout, allow_open, allow_plaintext, tls_certificate, tls_key, client_ca\n\
         \x20 |\n2 | port = ***\n  | ^^^^",
    );
    check(
        "[htp]\n",
        "inval.toml:1:2: there is no field htp here; is it http?\n  |\n1 | [htp]\n  |  ^^^",
    );
    check(
        "[manager]\nmax_lag = \"1\"\n",
        "inval.toml:2:11: manager.max_lag: a number lacks its unit of time; known are d, h, m, s, ms and \
         us\n\
         \x20 |\n2 | max_lag = \"1\"\n  |           ^^^",
    );
    check(
        "[manager]\n\tmax_lag = 5 # seconds\n",
        "inval.toml:2:12: manager.max_lag: a whole number stands here, where a duration in quotes, such \
         as \"250ms\" or \"1h30m\", belongs\n\
         \x20 |\n2 |  max_lag = 5 # seconds\n  |            ^",
    );
    check(
        "http.max_body = \"8 megs\"\n",
        "inval.toml:1:17: http.max_body: unknown unit of size; known are B, kB, MB, GB, TB and KiB, MiB, \
         GiB, TiB\n\
         \x20 |\n1 | http.max_body = \"8 megs\"\n  |                 ^^^^^^^^",
    );
    check(
        "redis.headroom = 1\n",
        "inval.toml:1:18: redis.headroom: this must be at least 0.0 and below 1.0\n\
         \x20 |\n1 | redis.headroom = 1\n  |                  ^",
    );
    check(
        "[namespaces.sessions]\nstrategy = \"mru\"\nmax_entries = 1\n",
        "inval.toml:2:12: strategy: unknown strategy; known are ttl, lru, lfu, fifo, sieve, s3-fifo and \
         w-tinylfu\n\
         \x20 |\n2 | strategy = \"mru\"\n  |            ^^^^^",
    );
    check(
        "[namespaces.\"a b\"]\nmax_entries = 1\n",
        "inval.toml:1:13: a namespace holds only letters, digits, '.', '_' and '-'; byte 1 is none of \
         them\n\
         \x20 |\n1 | [namespaces.\"a b\"]\n  |             ^^^^^",
    );
    check(
        "[namespaces.a]\nttl = \"1m\"\ntime_to_idle = \"60s\"\n",
        "inval.toml:3:16: time_to_idle (60s) must be below ttl (60s), or it could never take effect\n\
         \x20 |\n3 | time_to_idle = \"60s\"\n  |                ^^^^^",
    );
    check(
        "\n[namespaces.a]\nstrategy = \"lru\"\n",
        "inval.toml:2:13: the cache would grow without bound: set max_entries, max_bytes, ttl or \
         time_to_idle\n\
         \x20 |\n2 | [namespaces.a]\n  |             ^",
    );
    check(
        "store = \"redis://host\"\n[namespaces.a]\nttl = \"2m\"\ntime_to_idle = \"1m\"\n",
        "inval.toml:4:16: ttl and time_to_idle cannot be had together on a server; leave one of them out\n\
         \x20 |\n4 | time_to_idle = \"1m\"\n  |                ^^^^",
    );
    check(
        &format!("{BOUND}partitions = 101\n"),
        "inval.toml:3:14: 101 partitions: give 1 to 65536, and no more than the limits have room for\n\
         \x20 |\n3 | partitions = 101\n  |              ^^^",
    );
    check(
        "manager.min_interval = \"1s\"\n",
        "inval.toml:1:24: manager.min_interval (1s) must not be above manager.max_interval (500ms)\n\
         \x20 |\n1 | manager.min_interval = \"1s\"\n  |                        ^^^^",
    );
    check(
        "redis.client_key = \"k.pem\"\n",
        "inval.toml:1:20: redis.client_key needs redis.client_certificate; add it, or leave out both\n\
         \x20 |\n1 | redis.client_key = \"k.pem\"\n  |                    ^^^^^^^",
    );
    check(
        "http.tls_certificate = \"c.pem\"\n",
        "inval.toml:1:24: http.tls_certificate needs http.tls_key; add it, or leave out both\n\
         \x20 |\n1 | http.tls_certificate = \"c.pem\"\n  |                        ^^^^^^^",
    );
    check(
        "http.client_ca = \"c.pem\"\n",
        "inval.toml:1:18: http.client_ca needs http.tls_certificate; add it, or leave out both\n\
         \x20 |\n1 | http.client_ca = \"c.pem\"\n  |                  ^^^^^^^",
    );
    check(
        "[http]\n[redis]\n[http]\n",
        "inval.toml:3:2: this stands here for the second time; leave one of them out\n\
         \x20 |\n3 | [http]\n  |  ^^^^",
    );
    check(
        "http = 5\n",
        "inval.toml:1:1: a section belongs here, such as [http]\n  |\n1 | http = ***\n  | ^^^^",
    );
    check(
        "[namespaces]\na = 5\n",
        "inval.toml:2:5: a namespace is a table, such as [namespaces.sessions]\n\
         \x20 |\n2 | a = ***\n  |     ^^^",
    );
}

const TOKENS: &str = "access.tokens = \"tokens.json\"\n";

#[test]
fn roles_are_lists_of_grants() {
    let text = "[access.roles.shop]\ngrants = [\n  \"allow read,write shop-*\", # theirs\n  \"deny clear *\",\n]\n\
                [access.roles.\"a@b\"]\ngrants = []\n";
    let access = parsed(&format!("{TOKENS}{text}"), &[]).access;
    assert_eq!(access.roles["shop"].to_string(), "\"allow read,write shop-*\", \"deny clear *\"");
    assert_eq!(access.roles["a@b"].grants(), []);
    let access = parsed(text, &[("INVAL_ACCESS_TOKENS", "other.json")]).access;
    assert_eq!((access.tokens, access.roles.len()), (Some("other.json".into()), 2));
}

#[test]
fn what_is_wrong_with_a_role_is_told_with_its_place() {
    let check = |text: &str, want: &str| {
        let error = parse(&format!("{TOKENS}{text}"), &[]).unwrap_err();
        assert!(error.starts_with(&format!("inval.toml:{want}")), "{text}: {error}");
    };
    check(
        "[access.roles.r]\ngrants = [\"allow read *\", \"allow reed *\"]\n",
        "3:27: unknown operation; known are read, write, invalidate, clear, maintain, stats and administer, or all\n\
         \x20 |\n3 | grants = [\"allow read *\", \"allow reed *\"]\n  |                           ^^^^^^^^^^^^^^",
    );
    check("[access.roles.r]\ngrants = [5]\n", "3:11: grants are a list of texts");
    check("[access.roles.r]\ngrants = \"allow read *\"\n", "3:10: grants are a list of texts");
    check("[access.roles.r]\ngrant = []\n", "3:1: a role is a table with grants");
    check("[access.roles.r]\n", "2:1: a role is a table with grants");
    check("[access.roles]\nr = 5\n", "3:5: a role is a table with grants");
    check("access.roles = 5\n", "2:16: a role is a table with grants");
    check("[access.roles.\"a b\"]\ngrants = []\n", "2:15: a name holds only letters");
    check("access.role = 5\n", "2:8: there is no field role here; is it roles?");
    let error = parse("[access.roles.r]\ngrants = []\n", &[]).unwrap_err();
    assert!(
        error.starts_with("inval.toml:1:9: roles are for holders of tokens; name the"),
        "{error}"
    );
}

#[test]
fn all_errors_are_told_in_the_order_of_the_lines() {
    let error = parse(
        "[namespaces.b]\nttl = \"x\"\nmax_bytes = 0\n[namespaces.a]\n[http]\nlisten = \"here\"\n",
        &[("INVAL_REDIS_LEASE", "1")],
    );
    let error = error.unwrap_err();
    let starts: Vec<&str> =
        error.split("\n\n").map(|part| part.split(": ").next().unwrap()).collect();
    assert_eq!(
        starts,
        ["inval.toml:2:7", "inval.toml:4:13", "inval.toml:6:10", "INVAL_REDIS_LEASE"]
    );

    let text = format!("{BOUND}[manager]\nmin_interval = \"1s\"\n");
    assert_eq!(parse(&text, &[]).unwrap_err().matches("must not be above").count(), 1);

    let many: String = (0..30).map(|n| format!("x{n} = 1\n")).collect();
    let error = parse(&many, &[]).unwrap_err();
    assert!(error.ends_with("\n\nand 10 more"), "{error}");
}

#[test]
fn errors_in_variables_name_the_variable() {
    let check = |name: &str, value: &str, want: &str| {
        assert_eq!(parse("", &[(name, value)]).unwrap_err(), format!("{name}: {want}"));
    };
    check(
        "INVAL_MANAGER_MAX_LAG",
        "1",
        "manager.max_lag: a number lacks its unit of time; known are d, h, m, s, ms and us",
    );
    check("INVAL_MANAGER_MAX_LAGG", "1s", "there is no such setting; is it INVAL_MANAGER_MAX_LAG?");
    check("INVAL_REDIS_PASSWROD", "hush", "there is no such setting; is it INVAL_REDIS_PASSWORD?");
    check("INVAL_NAMESPACES_A_TTL", "1s", "there is no such setting; see `inval config example`");
    check(
        "INVAL_MANAGER_LEAST_BATCH",
        "5000",
        "manager.least_batch (5000) must not be above manager.most_batch (4096)",
    );
    check(
        "INVAL_STORE",
        "http://bob:hush@host",
        "store: a store is memory:, or a server that begins with redis://, rediss://, unix://, \
         redis+cluster:// or redis+sentinel://, such as redis://127.0.0.1:6379",
    );
    let error = parse("manager.max_interval = \"10ms\"", &[("INVAL_MANAGER_MAX_LAG", "5ms")]);
    assert_eq!(
        error.unwrap_err(),
        "INVAL_MANAGER_MAX_LAG: manager.max_interval (10ms) must not be above half of \
         manager.max_lag (5ms)"
    );
}

#[test]
fn no_error_shows_a_password() {
    let check = |text: &str| {
        let error = parse(text, &[]).unwrap_err();
        assert!(!error.contains("hush") && error.contains("***"), "{text}: {error}");
        assert!(error.starts_with("inval.toml:1:"), "{text}: {error}");
    };
    check("store = \"http://bob:hush@host\"");
    check("store = \"redis//bob:hush@host\"");
    check("store = \"redis://bob:hush@host");
    check("store = 'redis://bob:hush@host\"");
    check("store = redis://bob:hush@host");
    check("store = [\"hush\"]");
    check("store: \"redis://bob:hush@host\"");
    check("stor = \"redis://bob:hush@host\"");
    check("password = \"hush\"");
    check("\"redis://bob:hush@host\" = 1");
    check("max_lag = \"redis://bob:hush@host\"");
    check("http.listen = \"hush@host\"");
    check("redis = { password = \"hush\" }");
    check("redis = { store = 1, lease = \"hush\" ");
    check("store = \"\"\"redis:\nhush\"\"\"");
    check("max_lag = \"\\u0072edis:hush\"");
    check("http.listen = \"1\", store = \"hush\"");
    check("[namespaces.\"redis://bob:hush@host\"]");
}

/// The example with one change, anywhere: a piece cut out, doubled or replaced by something else.
fn mutated() -> impl proptest::strategy::Strategy<Value = String> {
    let example = Example.to_string().replace("\n#", "\n");
    let pieces = prop_oneof![
        Just(String::new()),
        "[ \\t\\n\"'=\\[\\]{}.,#\\\\0-9a-z:@/é\u{1}-]{1,6}",
        Just("[namespaces.a]\n".to_owned()),
        Just("\"\"\"".to_owned()),
        Just("99999999999999999999".to_owned()),
    ];
    (any::<prop::sample::Index>(), 0..40_usize, pieces).prop_map(move |(at, len, piece)| {
        let start = example.floor_char_boundary(at.index(example.len()));
        let end = example.floor_char_boundary((start + len).min(example.len()));
        [&example[..start], &piece, &example[end..]].concat()
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = parse(&text, &[]);
    }

    #[test]
    fn any_change_to_the_example_is_read_or_refused_where_it_stands(text in mutated()) {
        let parsed = parse(&text, &[]);
        if let Ok(settings) = &parsed {
            prop_assert!(settings.needs_restart(settings).is_empty());
            let own = settings.namespaces.values().map(|namespace| namespace.pacing);
            prop_assert!(own.chain([settings.pacing]).all(|pacing| pacing.validate().is_ok()));
        }
        if let Err(error) = parsed {
            let place: Vec<&str> = error.splitn(4, ':').collect();
            prop_assert_eq!(place[0], "inval.toml");
            let line: usize = place[1].parse().unwrap();
            prop_assert!(line >= 1 && line <= text.lines().count() + 1, "{}", error);
            prop_assert!(place[2].parse::<usize>().unwrap() >= 1);
        }
    }

    #[test]
    fn no_store_is_ever_shown(text in "[a-z:/@\\\\\"'= \\[\\]{}#.]{0,12}hush[a-z:/@\\\\\"'= {}#.]{0,12}") {
        if let Err(error) = parse(&format!("store = \"{text}\n"), &[]) {
            prop_assert!(!error.contains("hush"), "{}", error);
        }
    }
}
