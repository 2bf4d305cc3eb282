//! Targets that can be read, those that cannot, and that no password is ever shown.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Target, TargetError> {
    text.parse()
}

#[test]
fn targets_are_read_and_shown_without_credentials() {
    let check = |text: &str, shown: &str| {
        assert_eq!(parse(text).map(|target| target.to_string()).as_deref(), Ok(shown), "{text}");
    };
    check("redis://localhost", "redis://localhost:6379");
    check("redis://localhost/", "redis://localhost:6379");
    check("redis://10.0.0.1:7000/3", "redis://10.0.0.1:7000/3");
    check("redis://[::1]", "redis://[::1]:6379");
    check("redis://[::1]:7000/1", "redis://[::1]:7000/1");
    check("redis://bob:hunter2@cache_1.example", "redis://cache_1.example:6379");
    check("redis://:hunter2@a:1", "redis://a:1");
    check("redis://:@a", "redis://a:6379");
    check("rediss://a", "rediss://a:6379");
    check("valkey://a/1", "redis://a:6379/1");
    check("valkeys://a", "rediss://a:6379");
    check("unix:///run/redis.sock", "unix:///run/redis.sock");
    check("redis+unix:///run/a%20b?db=2&user=bob&pass=x", "unix:///run/a b?db=2");
    check("valkey+unix:///r", "unix:///r");
    check("redis+cluster://a,b:7001,[::1]:7002", "redis+cluster://a:6379,b:7001,[::1]:7002");
    check("rediss+cluster://bob:x@a", "rediss+cluster://a:6379");
    check("redis+sentinel://a,b:1/main", "redis+sentinel://a:26379,b:1/main");
    check("valkeys+sentinel://:x@a/main/4", "rediss+sentinel://a:26379/main/4");
}

#[test]
fn a_target_tells_whether_it_names_user_or_password() {
    let check =
        |text: &str, want: bool| assert_eq!(parse(text).unwrap().has_login(), want, "{text}");
    check("redis://localhost", false);
    check("redis://:@a", false);
    check("redis://:hunter2@a", true);
    check("redis+cluster://bob:hunter2@a,b", true);
    check("unix:///r?pass=x", true);
}

#[test]
fn user_and_password_are_decoded() {
    let check = |text: &str, user: Option<&str>, password: &str| {
        let login = parse(text).unwrap().login.unwrap();
        assert_eq!(login.user.as_ref().map(Secret::reveal), user, "{text}");
        assert_eq!(login.password.reveal(), password, "{text}");
    };
    check("redis://bob:hunter2@a", Some("bob"), "hunter2");
    check("redis://:hunter2@a", None, "hunter2");
    check("redis://b%6Fb:%40%3A%2f%3F%23%25%2C@a", Some("bob"), "@:/?#%,");
    check("redis://bob:a:b@c@d@a", Some("bob"), "a:b@c@d");
    check("redis://:p%C3%A4ss@a", None, "päss");
    check("unix:///s?user=bob&pass=%26%3D", Some("bob"), "&=");
    check("unix:///s?pass=x", None, "x");
}

#[test]
fn what_is_wrong_is_said_by_kind() {
    use TargetError as E;
    let check = |text: &str, want: E| assert_eq!(parse(text), Err(want), "{text}");
    check("", E::Scheme);
    check("localhost:6379", E::Scheme);
    check("http://a", E::Scheme);
    check("redis:/a", E::Scheme);
    check("REDIS://a", E::Scheme);
    check("rediss+unix:///s", E::Scheme);
    check("redis+pool://a", E::Scheme);
    check("unix+cluster://a", E::Scheme);
    check("redis://", E::NoHost);
    check("redis:///0", E::NoHost);
    check("redis://bob:x@", E::NoHost);
    check("redis://:6379", E::NoHost);
    check("redis+cluster://a,,b", E::NoHost);
    check("redis+sentinel:///main", E::NoHost);
    check("redis://a b", E::Host);
    check("redis://::1", E::NoHost);
    check("redis://[::1", E::Host);
    check("redis://[a]", E::Host);
    check("redis://[::1]6379", E::Host);
    check("redis://ä", E::Host);
    check("redis://a:", E::Port);
    check("redis://a:0", E::Port);
    check("redis://a:65536", E::Port);
    check("redis://a:+1", E::Port);
    check("redis://a:1:2", E::Port);
    check("redis://a,b", E::SeveralHosts);
    check("redis://a/x", E::Database);
    check("redis://a/-1", E::Database);
    check("redis://a/4294967296", E::Database);
    check("redis://a/0/1", E::Database);
    check("redis+cluster://a/0", E::DatabaseInCluster);
    check("redis+sentinel://a", E::NoMaster);
    check("redis+sentinel://a/", E::NoMaster);
    check("redis+sentinel://a//1", E::NoMaster);
    check("unix://run/redis.sock", E::Path);
    check("unix:///", E::Path);
    check("redis://bob@a", E::UserOrPassword);
    check("redis://bob:@a", E::UserOrPassword);
    check("unix:///s?user=bob", E::UserOrPassword);
    check("redis://bob:hun/ter@a", E::Unencoded);
    check("redis://bob:hun#ter@a", E::Unencoded);
    check("redis://bob:100%@a", E::Encoding);
    check("redis://bob:%zz@a", E::Encoding);
    check("redis://bob:%ff@a", E::Encoding);
    check("redis://a?protocol=3", E::Option);
    check("rediss://a/#insecure", E::Option);
    check("unix:///s?password=x", E::Option);
    check("unix:///s?db", E::Option);
    check("unix:///s#x", E::Option);
}

proptest! {
    #[test]
    fn no_text_panics_or_shows_its_password(
        scheme in "redis|rediss|unix|valkeys\\+cluster|redis\\+sentinel|redis\\+unix|x",
        user in "[^/]{0,8}",
        rest in "[@:/?#%,\\[\\]&=a-z0-9\\PC]{0,24}",
    ) {
        const PASSWORD: &str = "Hunter-TWO";
        for text in [
            format!("{scheme}://{user}:{PASSWORD}@{rest}"),
            format!("{scheme}://{user}:{rest}{PASSWORD}@a"),
            format!("{scheme}://{user}:{PASSWORD}{rest}@a"),
            format!("{scheme}:///{rest}?pass={PASSWORD}"),
            format!("{scheme}:///{rest}?pass={PASSWORD}{rest}"),
        ] {
            let shown = match parse(&text) {
                Ok(target) => format!("{target} {target:?} {:?}", target.login),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!shown.contains(PASSWORD), "{}", shown);
        }
    }

    #[test]
    fn what_is_shown_is_read_back(
        host in "[a-z][a-z0-9.-]{0,12}",
        port in 1_u16..,
        db in any::<u32>(),
        is_encrypted in any::<bool>(),
    ) {
        let servers = Servers::One(HostPort::new(&host, port));
        let target = Target { servers, is_encrypted, db, login: None };
        prop_assert_eq!(target.to_string().parse(), Ok(target));
    }
}
