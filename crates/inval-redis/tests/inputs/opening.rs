//! Targets, passwords and configurations that do not fit.

use std::time::Duration;

use inval_core::{Config, ConfigBuilder, Store, Strategy};
use inval_redis::{
    AuthenticationError, CacheOptions, Client, ConnectOptions, Disagreement, Error, OpenError,
    Target, TargetError,
};
use inval_test_servers::{Options, Server};

use crate::support::site::{Site, limited, roomy};
use crate::support::values::{count, fill, names};

#[test]
fn a_target_that_cannot_be_is_refused_and_not_repeated() {
    let check = |text: &str, want| {
        let error = text.parse::<Target>().unwrap_err();
        assert_eq!(error, want, "{text}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    };
    check("", TargetError::Scheme);
    check("http://:hunter2@host", TargetError::Scheme);
    check("redis://", TargetError::NoHost);
    check("redis://:hunter2@host:99999", TargetError::Port);
    check("redis://:hunter2@host/x", TargetError::Database);
    check("redis+cluster://:hunter2@host/1", TargetError::DatabaseInCluster);
    check("redis+sentinel://:hunter2@host", TargetError::NoMaster);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_and_not_shown() {
    let server = Server::start(Options::redis().password("right")).unwrap();
    let options = ConnectOptions::default;
    let check = async |credentials: &str, want| {
        let url = server.url().replace("redis://", &format!("redis://{credentials}"));
        let error = Client::connect(&url.parse().unwrap(), options()).await.unwrap_err();
        assert_eq!(error, Error::Authentication(want));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    };
    check(":hunter2@", AuthenticationError::Rejected).await;
    check("nobody:hunter2@", AuthenticationError::Rejected).await;
    check("", AuthenticationError::Missing).await;
}

#[tokio::test]
async fn a_configuration_that_disagrees_is_refused_by_the_fields_name() {
    let base = || limited(100).strategy(Strategy::Lru).ttl(Duration::from_secs(60));
    let site = Site::shared(base());
    drop(site.open().await);
    let check = async |config: ConfigBuilder, change: fn(&mut CacheOptions), want: &str| {
        let mut other = site.clone().with(change);
        other.config = config.build().unwrap();
        match other.try_open().await {
            Err(OpenError::Disagreement(error @ Disagreement::Field { field, .. })) => {
                assert_eq!(field, want);
                assert!(error.to_string().contains(want));
                let can_change = ["max_entries", "max_bytes", "ttl_ms", "ttl_jitter"];
                assert_eq!(error.is_changeable(), can_change.contains(&want));
            }
            other => panic!("{want}: {other:?}"),
        }
    };
    let same: fn(&mut CacheOptions) = |_| {};
    check(base().strategy(Strategy::Fifo), same, "strategy").await;
    check(base().max_entries(99), same, "max_entries").await;
    check(base().max_bytes(1000), same, "max_bytes").await;
    check(base().ttl(Duration::from_secs(61)), same, "ttl_ms").await;
    let idle = limited(100).strategy(Strategy::Lru).time_to_idle(Duration::from_secs(60));
    check(idle, same, "time_to_idle_ms").await;
    check(base().max_entries(99).strategy(Strategy::Fifo), same, "strategy").await;
    check(base().ttl_jitter(0.5), same, "ttl_jitter").await;
    check(base(), |options| options.partitions = 2, "partitions").await;
    check(base(), |options| options.journal_cap = 7, "journal_cap").await;

    let idle_site = Site::shared(Config::builder().time_to_idle(Duration::from_secs(60)));
    drop(idle_site.open().await);
    let mut other = idle_site.clone();
    other.config = Config::builder().time_to_idle(Duration::from_secs(61)).build().unwrap();
    let refused = other.try_open().await.unwrap_err();
    assert!(
        refused.to_string().starts_with("time_to_idle_ms is 61000 here but 60000"),
        "{refused}"
    );

    // How a manager works is its own affair, and so is what it draws its lots by.
    let mut other = site.clone().with(|options| options.engine.lease *= 2);
    other.config = base().seed(7).build().unwrap();
    assert!(other.try_open().await.is_ok());
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_refused() {
    let site = Site::shared(limited(100));
    let name = format!("inval:{{{}}}:config", site.namespace);
    drop(site.open().await);
    let check = async |text: &[u8], want: Disagreement| {
        site.foreign(&[&b"SET"[..], name.as_bytes(), text]);
        assert_eq!(site.try_open().await.unwrap_err(), OpenError::Disagreement(want));
        assert_eq!(site.foreign(&["GET", &name]), inval_test_servers::Reply::Bulk(text.to_vec()));
    };
    check(b"3 strategy=lru", Disagreement::UnknownVersion(3)).await;
    check(b"4294967295", Disagreement::UnknownVersion(u32::MAX)).await;
    check(b"", Disagreement::Unreadable).await;
    check(b"1", Disagreement::Unreadable).await;
    check(b"-1 strategy=lru", Disagreement::Unreadable).await;
    check(b"\xff\xfe", Disagreement::Unreadable).await;
    site.foreign(&["DEL", &name]);
    site.foreign(&["RPUSH", &name, "no string"]);
    assert_eq!(site.try_open().await.unwrap_err(), OpenError::Server(Error::WrongType));
}

#[tokio::test]
async fn a_namespace_is_attached_to_as_it_is() {
    let config = limited(100).strategy(Strategy::Sieve).ttl(Duration::from_secs(60));
    let site = Site::shared(config.ttl_jitter(0.25)).with(|options| {
        options.partitions = 3;
        options.journal_cap = 77;
    });
    assert_eq!(site.try_attach().await.unwrap_err(), OpenError::Unknown);
    assert_eq!(site.config_text(), None, "nothing is created");
    drop(site.open().await);
    let attached = site.try_attach().await.unwrap();
    assert_eq!((attached.config(), Store::partitions(&attached)), (site.config, 3));
    fill(&attached, 'k', 0..10, 10).await;
    assert_eq!(count(&site.open().await, &names('k', 0..10)).await, 10);
    // The cap is that of the namespace, or the disagreement would have been about it.
    let other = site.clone().with(|options| options.journal_cap = 78);
    assert!(other.try_open().await.unwrap_err().to_string().contains("78 here but 77"));

    let check = async |from: &str, to: &str, want: &str| {
        let text = site.config_text().unwrap().replace(from, to);
        let site = Site::shared(limited(100));
        site.set_config_text(&text);
        let error = site.try_attach().await.unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    };
    check("sieve", "arc", "strategy is arc, which this program does not know").await;
    check("partitions=3", "partitions=101", "cannot be read").await;
    check("time_to_idle_ms=-", "time_to_idle_ms=9", "cannot be read").await;
    check("1 strategy", "3 strategy", "version 3").await;
}

#[tokio::test]
async fn a_number_of_partitions_is_1_to_16384_and_each_has_room() {
    let check = async |config: ConfigBuilder, partitions, want: Option<OpenError>| {
        let site = Site::shared(config).with(|options| options.partitions = partitions);
        assert_eq!(site.try_open().await.err(), want, "{partitions}");
    };
    check(roomy(), 0, Some(OpenError::Partitions(0))).await;
    check(roomy(), 20_000, Some(OpenError::Partitions(20_000))).await;
    check(roomy(), u32::MAX, Some(OpenError::Partitions(u32::MAX))).await;
    check(limited(10), 11, Some(OpenError::Partitions(11))).await;
    check(limited(10), 10, None).await;
    check(roomy(), 16_384, None).await;
}

#[tokio::test]
async fn a_ttl_and_a_time_to_idle_cannot_be_had_together() {
    let both = Config::builder().ttl(Duration::from_secs(60)).time_to_idle(Duration::from_secs(6));
    let refused = Site::shared(both).try_open().await.unwrap_err();
    assert_eq!(refused, OpenError::IdleWithTtl);
}
