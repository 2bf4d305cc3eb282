//! TLS, and users who may do just what they need: a client, and a manager. The rules are those that
//! `docs/redis-keyspace.md` tells to administrators.

use std::time::Duration;

use inval_core::{Budget, Config, PutCondition, PutOptions, Store};
use inval_redis::{Cache, CacheOptions, Client, ConnectOptions, OpenError};
use inval_test_servers::{Endpoint, Options, Reply, Server};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::site::{Site, hasty, key, limited, own_server};
use crate::support::values::{count, fill, names};

const DOCUMENT: &str = include_str!("../../../../docs/redis-keyspace.md");

/// The rules of a user as the document gives them.
fn rules(user: &str) -> Vec<&'static str> {
    let start = format!("ACL SETUSER {user} ");
    let lines = DOCUMENT.lines().filter_map(|line| line.strip_prefix(&start));
    lines.flat_map(|line| line.split(' ')).collect()
}

#[tokio::test]
async fn a_client_needs_what_is_documented_and_no_less() {
    check("app", use_as_client).await;
}

#[tokio::test]
async fn a_manager_needs_what_is_documented_and_no_less() {
    check("manager", use_as_manager).await;
}

/// Does everything there is to do with all rights of a user, which nothing must be denied, and with all
/// but one, of which each must be missed.
async fn check(user: &str, scenario: impl AsyncFn(&Server, &str) -> Result<(), Failure>) {
    let server = own_server(&[]);
    let rules = rules(user);
    assert_eq!(denials(&server, user, &rules, &scenario).await, "");
    for command in rules.iter().filter(|rule| rule.starts_with('+')) {
        let refusal = format!("-{}", &command[1..]);
        let less: Vec<_> = rules.iter().copied().chain([&*refusal]).collect();
        assert_ne!(denials(&server, user, &less, &scenario).await, "", "{command} is not needed");
    }
}

/// What the server's log says it has denied to a user with these rules.
async fn denials(
    server: &Server,
    user: &str,
    rules: &[&str],
    scenario: &impl AsyncFn(&Server, &str) -> Result<(), Failure>,
) -> String {
    let command = |words: &[&str]| assert!(server.command(words).unwrap().is_ok(), "{words:?}");
    command(&[&["ACL", "SETUSER", user, "reset"], rules].concat());
    for policy in ["noeviction", "allkeys-lfu"] {
        command(&["FLUSHALL"]);
        command(&["SCRIPT", "FLUSH"]);
        command(&["CONFIG", "SET", "maxmemory-policy", policy]);
        // Where something goes wrong without an error, the server's log still has it.
        let _may_fail = scenario(server, user).await;
    }
    let log = server.command(&["ACL", "LOG"]).unwrap();
    command(&["ACL", "LOG", "RESET"]);
    let objects = log.items().iter().map(|entry| entry.items()[7].text().unwrap().to_owned());
    objects.collect::<Vec<_>>().join(" ")
}

type Failure = Box<dyn std::error::Error>;

async fn open(server: &Server, user: &str, config: Config) -> Result<Cache, Failure> {
    let url = server.url().replace("redis://", &format!("redis://{user}:password@"));
    let client = Client::connect(&url.parse()?, ConnectOptions::default()).await?;
    let engine = hasty();
    let options = CacheOptions { journal_cap: 40, engine, ..CacheOptions::default() };
    // A namespace that exists is opened as well.
    drop(Cache::open(client.clone(), "users".parse()?, config, options).await?);
    Ok(Cache::open(client, "users".parse()?, config, options).await?)
}

async fn use_as_client(server: &Server, user: &str) -> Result<(), Failure> {
    let cache = open(server, user, limited(1000).build()?).await?;
    let put = |name, options| {
        let cache = cache.clone();
        async move { cache.put(&key(name), "value".into(), options).await }
    };
    server.command(&["HSET", "inval:{users:0}:s", "touch_permille", "1000"])?;
    cache.accounts(0).await?;
    let _stored = put("k", PutOptions::default()).await?;
    let ttl = Some(Duration::from_secs(60));
    for condition in [PutCondition::IfAbsent, PutCondition::IfPresent] {
        let _stored = put("k", PutOptions { ttl, condition }).await?;
    }
    cache.get(&key("k")).await?;
    cache.get_many(&[key("k"), key("none")]).await?;
    cache.contains(&key("k")).await?;
    cache.lifetime(&key("k")).await?;
    cache.inspect(&key("k")).await?;
    cache.stats().await?;
    cache.invalidate(&[key("k")]).await?;
    // Beyond the cap: the journal is dropped.
    let entries: Vec<_> = (0..50).map(|n| (key(&format!("k{n}")), "value".into())).collect();
    let _stored = cache.put_many(&entries, ttl).await?;
    cache.clear().await?;

    server.command(&["DEL", "inval:{users}:config"])?;
    let idle = Config::builder().time_to_idle(Duration::from_secs(60)).build()?;
    let cache = open(server, user, idle).await?;
    cache.get(&key("k")).await?;
    Ok(())
}

async fn use_as_manager(server: &Server, user: &str) -> Result<(), Failure> {
    let cache = open(server, user, limited(10).build()?).await?;
    for n in 0..5 {
        server.command(&["SET", &format!("inval:{{users:0}}:k:old{n}"), "value"])?;
    }
    for n in 0..20 {
        server.command(&["SET", &format!("inval:{{users:0}}:k:new{n}"), "value"])?;
        server.command(&["RPUSH", "inval:{users:0}:j", &format!("1p 5 - new{n}")])?;
    }
    server.command(&["SET", "inval:{users:0}:k:brief", "value", "PX", "20"])?;
    server.command(&["RPUSH", "inval:{users:0}:j", "1p 5 20 brief"])?;
    for _ in 0..300 {
        let slice = cache.maintain(0, Budget::within(Duration::from_millis(5))).await?;
        let stats = cache.stats().await?;
        let expired = stats.removed(inval_core::RemovalCause::Expired).entries;
        if stats.usage.entries == 10
            && expired + stats.removed(inval_core::RemovalCause::Evicted).entries == 16
        {
            break;
        }
        tokio::time::sleep(slice.next.min(Duration::from_millis(5))).await;
    }
    Ok(cache.release().await?)
}

#[tokio::test]
async fn a_client_user_cannot_reach_beyond_its_namespace() {
    let server = own_server(&[]);
    let user = "app";
    let rules = rules(user);
    server.command(&[&["ACL", "SETUSER", user], &rules[..]].concat()).unwrap();
    server.command(&["SET", "inval:{users2:0}:k:k", "secret"]).unwrap();
    let url = server.url().replace("redis://", "redis://app:password@");
    let client = Client::connect(&url.parse().unwrap(), ConnectOptions::default()).await.unwrap();
    let config = limited(10).build().unwrap();
    for other in ["users2", "user", "usersx", "Users", "users-0"] {
        let opened =
            Cache::open(client.clone(), other.parse().unwrap(), config, CacheOptions::default());
        let refused = opened.await.unwrap_err();
        assert_eq!(refused, OpenError::Server(inval_redis::Error::Permission), "{other}");
    }
    for forbidden in [&["GET", "inval:{users2:0}:k:k"][..], &["FLUSHALL"], &["KEYS", "*"]] {
        let mut command = redis::cmd(forbidden[0]);
        command.arg(&forbidden[1..]);
        let refused = client.command(&command, inval_redis::Repeat::Safe).await;
        assert_eq!(refused, Err(inval_redis::Error::Permission), "{forbidden:?}");
    }
}

#[tokio::test]
async fn over_tls_with_a_user_of_its_own_everything_works() {
    let options = Options::redis()
        .endpoint(Endpoint::Tls)
        .user("default off")
        .user("boss on >p%40ss ~inval:* resetchannels +@all -@admin");
    let server = Server::start(options).unwrap();
    let authority = server.ca_certificate();
    let mut site = Site::new(server.into(), limited(50));
    site.url = site.url.replace("rediss://", "rediss://boss:p%2540ss@");
    site.connect.ca_certificate = authority;
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..80, 10).await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 50);
    site.server().restart().unwrap();
    fill(&cache, 'n', 0..20, 10).await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 20);
    assert_eq!(count(&cache, &names('n', 0..20)).await, 20);
    assert!(matches!(site.foreign(&["ACL", "LOG"]), Reply::Array(log) if log.is_empty()));
    manager.stop().await;
}
