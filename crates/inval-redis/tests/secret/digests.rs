//! What is on the server: digests, in values, journal and access buffer alike.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use inval_core::digest::KeyDigester;
use inval_core::{Cursor, Lifetime, Put, PutCondition, PutOptions, Store};
use inval_redis::KeySecret;
use inval_test_servers::Reply;

use super::clients::{open, secrets};
use crate::support::managers::{maintain, manage};
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server, roomy};

#[tokio::test]
async fn no_part_of_a_key_reaches_the_server() {
    let server = own_server(&[]);
    let site = Site::new(server.clone(), roomy()).with(|options| options.partitions = 3);
    let mut monitor = server.connect().unwrap();
    assert!(monitor.command(&["MONITOR"]).unwrap().is_ok());
    let cache = open(&site, &secrets(7, Some(8))).await.unwrap();
    for partition in 0..3 {
        let accounts = format!("inval:{{{}:{partition}}}:s", site.namespace);
        site.foreign(&["HSET", &accounts, "touch_permille", "1000"]);
    }
    cache.stats().await.unwrap();
    let names: Vec<_> = (0..20).map(|n| key(&format!("alice{n}@example.org"))).collect();
    for (n, name) in names.iter().enumerate() {
        let condition =
            [PutCondition::Always, PutCondition::IfAbsent, PutCondition::IfPresent][n % 3];
        let options = PutOptions { condition, ttl: Some(Duration::from_secs(60)) };
        let _put = cache.put(name, "value".into(), options).await.unwrap();
    }
    let entries: Vec<_> = names.iter().map(|name| (name.clone(), "value".into())).collect();
    cache.put_many(&entries, None).await.unwrap();
    assert!(cache.get(&names[3]).await.unwrap().is_some());
    assert!(cache.get_many(&names).await.unwrap().iter().all(Option::is_some));
    assert!(cache.contains(&names[4]).await.unwrap());
    assert_eq!(cache.lifetime(&names[4]).await, Ok(Lifetime::Unlimited));
    assert_eq!(cache.inspect(&names[4]).await.unwrap().unwrap().lifetime, Lifetime::Unlimited);
    assert_eq!(cache.invalidate(&names[..5]).await, Ok(5));
    cache.stats().await.unwrap();
    let manager = manage(&cache);
    until("all is on the books", async || cache.usage().await.unwrap().entries == 15).await;
    manager.stop().await;
    cache.clear().await.unwrap();
    assert!(site.foreign(&["SET", "the", "end"]).is_ok());
    let mut seen = String::new();
    while !seen.contains("\"the\" \"end\"") {
        seen += monitor.receive().unwrap().text().unwrap();
    }
    assert!(seen.contains("1d ") && seen.contains("1p ") && seen.contains("GET"), "{seen}");
    assert!(seen.contains("RPUSH") && seen.contains("}:a\""), "touches were told: {seen}");
    assert!(!seen.contains("alice") && !seen.contains("example"), "{seen}");
}

#[tokio::test]
async fn pages_and_removals_name_entries_by_their_digests() {
    let site = Site::shared(roomy());
    let cache = open(&site, &secrets(7, None)).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    cache.watch(Arc::new(move |removal| tell.lock().unwrap().push(removal.key.to_vec())));
    let _stored = cache.put(&key("alice"), "value".into(), PutOptions::default()).await.unwrap();
    let manager = manage(&cache);
    until("it is on the books", async || cache.usage().await.unwrap().entries == 1).await;
    let [alias] = <[_; 1]>::try_from(cache.aliases(&key("alice"))).unwrap();
    let info = cache.inspect(&key("alice")).await.unwrap().unwrap();
    assert_eq!(info.weight.unwrap().bytes() as usize, alias.as_bytes().len() + "value".len());
    let page = Store::page(&cache, 0, Cursor::START, 10).await.unwrap();
    let names: Vec<_> = page.entries.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!((names, alias == key("alice")), (vec![alias.clone()], false));
    assert_eq!(cache.invalidate(&[key("alice")]).await, Ok(1));
    until("its removal is told", async || *told.lock().unwrap() == [alias.as_bytes().to_vec()])
        .await;
    manager.stop().await;
}

#[tokio::test]
async fn a_program_in_another_language_finds_the_value() {
    let site = Site::shared(roomy());
    let cache = open(&site, &secrets(7, None)).await.unwrap();
    let _stored = cache.put(&key("alice"), "value".into(), PutOptions::default()).await.unwrap();
    // hmac.new(bytes([7] * 32), b"n0\0alice", hashlib.sha256).hexdigest()[:32]
    let secret = KeyDigester::new(&KeySecret::new([7; 32]), &site.namespace);
    let digest = secret.digest(&key("alice"));
    let name = site.names().entry(digest.as_bytes());
    assert_eq!(site.foreign(&[b"GET".to_vec(), name]), Reply::Bulk(b"value".to_vec()));
    let text = site.config_text().unwrap();
    assert!(
        text.starts_with("2 ") && text.ends_with(&format!(" key_secret={}", secret.fingerprint()))
    );
}

#[tokio::test]
async fn limits_are_kept_by_what_is_on_the_server() {
    let site = Site::shared(limited(10).max_bytes(10_000));
    let cache = open(&site, &secrets(7, None)).await.unwrap();
    for n in 0..30 {
        let put = cache.put(&key(&format!("{n}")), "v".into(), PutOptions::default()).await;
        assert_eq!(put, Ok(Put::Stored));
    }
    until("it is within the limit", async || {
        maintain(&cache).await;
        cache.usage().await.unwrap().entries == 10
    })
    .await;
    // 32 digits and a byte.
    assert_eq!(cache.usage().await.unwrap().bytes, 10 * 33);
}
