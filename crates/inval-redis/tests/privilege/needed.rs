//! Every right of every role is needed: without it, something the role has to do is denied.

use std::time::Duration;

use inval_core::{Budget, Config, PutCondition, PutOptions, Stats, Store};
use inval_redis::acl::{Access, Layout, Reading, Role, Rules};
use inval_redis::{Cache, CacheOptions, Client, namespaces};
use inval_test_servers::Server;

use super::users::{NAMESPACE, client, denials, layout, set_user};
use crate::support::site::{hasty, key, limited, own_server};

#[tokio::test]
async fn an_app_needs_all_it_may_do() {
    check(Role::App, layout(), use_as_app).await;
}

#[tokio::test]
async fn a_reader_needs_all_it_may_do() {
    check(Role::Reader, layout(), use_as_reader).await;
}

#[tokio::test]
async fn a_reader_of_entries_that_idle_needs_all_it_may_do() {
    check(Role::Reader, Layout { reading: Reading::Idle, ..layout() }, use_as_reader).await;
}

#[tokio::test]
async fn a_manager_needs_all_it_may_do() {
    check(Role::Manager, layout(), use_as_manager).await;
}

#[tokio::test]
async fn an_admin_needs_all_it_may_do() {
    check(Role::Admin, layout(), use_as_admin).await;
}

/// Does everything there is to do with all rights of a role, which nothing must be denied, and with all but one,
/// of which each must be missed: a command, one of the kinds of keys it is used on, or one half of the access to it.
async fn check(
    role: Role,
    layout: Layout,
    scenario: impl AsyncFn(&Server, &Client) -> Result<(), Failure>,
) {
    let server = own_server(&[]);
    let idle = (layout.reading == Reading::Idle).then_some(Duration::from_secs(60));
    let rules = Rules::new(role, layout);
    let denied = denied(&server, role, &rules, idle, &scenario).await;
    assert!(denied.is_empty(), "{role}: {denied:?}");
    for (what, less) in each_lesser(&rules) {
        let denied = self::denied(&server, role, &less, idle, &scenario).await;
        assert!(!denied.is_empty(), "{role} does not need {what}");
    }
}

fn each_lesser(rules: &Rules) -> Vec<(String, Rules)> {
    let mut all = Vec::new();
    for need in rules.needs() {
        let command = &need.command;
        all.push((command.clone(), rules.with_less(command, None)));
        for &(part, access) in &need.keys {
            let halves: &[Option<Access>] = match access {
                Access::ReadWrite => &[None, Some(Access::Read), Some(Access::Write)],
                _ => &[None],
            };
            for &half in halves {
                let less = rules.with_less(command, Some((part, half)));
                all.push((format!("{command} on {part:?} beyond {half:?}"), less));
            }
        }
    }
    all
}

/// What a user with these rules is denied.
async fn denied(
    server: &Server,
    role: Role,
    rules: &Rules,
    idle: Option<Duration>,
    scenario: &impl AsyncFn(&Server, &Client) -> Result<(), Failure>,
) -> Vec<String> {
    set_user(server, role, rules);
    for policy in ["noeviction", "allkeys-lfu"] {
        let command = |words: &[&str]| assert!(server.command(words).unwrap().is_ok(), "{words:?}");
        command(&["FLUSHALL"]);
        command(&["SCRIPT", "FLUSH"]);
        command(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let create = async || {
            let url = server.url().parse().unwrap();
            let admin = Client::connect(&url, crate::support::site::patient()).await?;
            Ok::<_, Failure>(
                Cache::open(admin, NAMESPACE.parse()?, config(role, idle)?, options()).await?,
            )
        };
        if role != Role::Manager {
            create().await.unwrap();
        }
        // Where something goes wrong without an error, the server's log still has it.
        if let Ok(client) = client(server, role).await {
            let _may_fail = scenario(server, &client).await;
        }
    }
    denials(server)
}

const BUDGET: Budget = Budget::within(Duration::from_millis(5));

type Failure = Box<dyn std::error::Error>;

fn config(role: Role, idle: Option<Duration>) -> Result<Config, Failure> {
    Ok(match (role, idle) {
        (Role::Manager | Role::Admin, _) => limited(10).build()?,
        (_, None) => limited(1000).build()?,
        (_, Some(idle)) => Config::builder().time_to_idle(idle).build()?,
    })
}

fn options() -> CacheOptions {
    CacheOptions { journal_cap: 40, engine: hasty(), ..CacheOptions::default() }
}

async fn attach(client: &Client) -> Result<Cache, Failure> {
    Ok(Cache::attach(client.clone(), NAMESPACE.parse()?, hasty()).await?)
}

async fn use_as_reader(server: &Server, client: &Client) -> Result<(), Failure> {
    let cache = attach(client).await?;
    server.command(&["HSET", "inval:{users:0}:s", "touch_permille", "1000"])?;
    server.command(&["SET", "inval:{users:0}:k:k", "value"])?;
    // The first read is told of at once, in the background.
    server.command(&["CONFIG", "RESETSTAT"])?;
    cache.get(&key("k")).await?;
    for _ in 0..300 {
        let asked = server.command(&["INFO", "commandstats"])?;
        if asked.text().is_some_and(|asked| asked.contains("cmdstat_hget:")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cache.accounts(0).await?;
    cache.get(&key("k")).await?;
    cache.get_many(&[key("k"), key("none")]).await?;
    cache.contains(&key("k")).await?;
    cache.lifetime(&key("k")).await?;
    cache.inspect(&key("k")).await?;
    cache.stats().await?;
    Ok(())
}

async fn use_as_app(server: &Server, client: &Client) -> Result<(), Failure> {
    use_as_reader(server, client).await?;
    let cache = attach(client).await?;
    let ttl = Some(Duration::from_secs(60));
    for condition in [PutCondition::Always, PutCondition::IfAbsent, PutCondition::IfPresent] {
        let _stored = cache.put(&key("k"), "value".into(), PutOptions { ttl, condition }).await?;
    }
    cache.invalidate(&[key("k")]).await?;
    // Beyond the cap: the journal is dropped.
    let entries: Vec<_> = (0..50).map(|n| (key(&format!("k{n}")), "value".into())).collect();
    let _stored = cache.put_many(&entries, ttl).await?;
    cache.clear().await?;
    // With a headroom, a writer looks at the journal until there is room.
    let engine = inval_core::engine::EngineSettings { headroom: 0.01, ..hasty() };
    let cache = Cache::attach(client.clone(), NAMESPACE.parse()?, engine).await?;
    for n in 0..3 {
        let k = key("k");
        let put = cache.put(&k, "value".into(), PutOptions::default());
        let _may_wait = tokio::time::timeout(Duration::from_millis(20 * n), put).await;
    }
    Ok(())
}

async fn use_as_manager(server: &Server, client: &Client) -> Result<(), Failure> {
    let config = config(Role::Manager, None)?;
    let cache = Cache::open(client.clone(), NAMESPACE.parse()?, config, options()).await?;
    for n in 0..5 {
        server.command(&["SET", &format!("inval:{{users:0}}:k:old{n}"), "value"])?;
    }
    for n in 0..20 {
        server.command(&["SET", &format!("inval:{{users:0}}:k:new{n}"), "value"])?;
        server.command(&["RPUSH", "inval:{users:0}:j", &format!("1p 5 - new{n}")])?;
    }
    maintain_until(&cache, |stats| stats.usage.entries == 10 && stats.evicted.entries == 15)
        .await?;
    cache.reconfigure(&limited(20).build()?).await?;
    server.command(&["SET", "inval:{users:0}:k:brief", "value", "PX", "20"])?;
    server.command(&["RPUSH", "inval:{users:0}:j", "1p 5 20 brief"])?;
    maintain_until(&cache, |stats| stats.expired.entries == 1).await?;
    Store::page(&cache, 0, inval_core::Cursor::START, 10).await?;
    // Another manager finds the lease taken.
    let other = attach(client).await?;
    other.maintain(0, BUDGET).await?;
    Ok(cache.release().await?)
}

/// Does upkeep until this is so, for as long as that can take.
async fn maintain_until(cache: &Cache, is_so: impl Fn(&Stats) -> bool) -> Result<(), Failure> {
    for _ in 0..300 {
        let slice = cache.maintain(0, BUDGET).await?;
        if is_so(&cache.stats().await?) {
            break;
        }
        tokio::time::sleep(slice.next.min(Duration::from_millis(5))).await;
    }
    Ok(())
}

async fn use_as_admin(server: &Server, client: &Client) -> Result<(), Failure> {
    use_as_app(server, client).await?;
    server.command(&["FLUSHALL"])?;
    use_as_manager(server, client).await?;
    namespaces(client).await?;
    attach(client).await?.destroy().await?;
    Ok(())
}
