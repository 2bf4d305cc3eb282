//! Keys of any bytes, which never reach outside their namespace.

use bytes::Bytes;
use inval_core::{Key, KeyError, Namespace, NamespaceError, Put, PutOptions, Store};
use inval_test_servers::Reply;

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::site::{Site, limited, own_server, roomy};
use crate::support::values::put;

#[test]
fn a_key_has_1_to_65535_bytes() {
    assert_eq!(Key::new(b""), Err(KeyError::Empty));
    assert_eq!(Key::new(&[b'k'; 65_536]), Err(KeyError::TooLong { len: 65_536 }));
    assert!(Key::new(&[b'k'; 65_535]).is_ok());
}

#[test]
fn a_namespace_is_a_short_plain_name() {
    let check = |name: &str, want| assert_eq!(name.parse::<Namespace>().err(), want, "{name:?}");
    check("users.v2_EU-1", None);
    check("", Some(NamespaceError::Empty));
    check(&"n".repeat(65), Some(NamespaceError::TooLong { len: 65 }));
    for (name, at) in [("a:1", 1), ("{a}", 0), ("a*", 1), ("a b", 1), ("a\r\n", 1), ("é", 0)] {
        check(name, Some(NamespaceError::Forbidden { at }));
    }
}

/// Bytes that mean something to the protocol, to Cluster's hash tags, to patterns or to our own records.
fn odd_keys() -> Vec<Vec<u8>> {
    let all: Vec<u8> = (0..=255).collect();
    let mut keys: Vec<Vec<u8>> = [
        &b"\0"[..],
        b"\r\n",
        b"{",
        b"}",
        b"{}",
        b"{a}{b}",
        b"*",
        b"?[a-z]",
        b" ",
        b"  1d x",
        b"-",
        b"1p 1 - k",
        b"$5\r\nhello\r\n",
        b"k:k:",
        b"\xff\xfe",
        b"k\0k",
        b"%s%n",
        b"a:b:0}:j",
        &all,
        &[0xc3, 0x28],
    ]
    .map(<[u8]>::to_vec)
    .into();
    keys.push(vec![b'k'; Key::MAX_LEN]);
    keys.extend((0..=255).map(|byte| vec![b'b', byte]));
    keys
}

#[tokio::test]
async fn keys_and_values_of_any_bytes_are_kept_and_booked() {
    for partitions in [1, 3] {
        let site = Site::shared(roomy()).with(|options| options.partitions = partitions);
        let (cache, client) = (site.open().await, site.client().await);
        let manager = manage(&cache);
        let keys: Vec<Key> = odd_keys().iter().map(|key| Key::new(key).unwrap()).collect();
        for key in &keys {
            let value = Bytes::copy_from_slice(key.as_bytes());
            let stored = cache.put(key, value, PutOptions::default()).await;
            assert_eq!(stored, Ok(Put::Stored));
        }
        let read = cache.get_many(&keys).await.unwrap();
        for (key, value) in keys.iter().zip(read) {
            assert_eq!(value.as_deref(), Some(key.as_bytes()));
        }
        let bytes = keys.iter().map(|key| 2 * key.as_bytes().len() as u64).sum::<u64>();
        let stats = exact(&client, &cache).await;
        assert_eq!((stats.usage.entries, stats.usage.bytes), (keys.len() as u64, bytes));
        assert_eq!(cache.accounts(0).await.unwrap().stats.poisoned, 0);
        assert_eq!(cache.invalidate(&keys).await, Ok(keys.len() as u64));
        assert_eq!(exact(&client, &cache).await.usage.entries, 0);
        manager.stop().await;
    }
}

#[tokio::test]
async fn keys_of_any_bytes_are_evicted_and_rebuilt_like_others() {
    let site = Site::shared(limited(100));
    let (cache, next) = (site.open().await, site.open().await);
    let client = site.client().await;
    let keys: Vec<Key> = odd_keys().iter().map(|key| Key::new(key).unwrap()).collect();
    let entries: Vec<_> = keys.iter().map(|key| (key.clone(), Bytes::from("value"))).collect();
    let manager = manage(&cache);
    cache.put_many(&entries, None).await.unwrap();
    assert_eq!(exact(&client, &cache).await.usage.entries, 100);
    manager.stop().await;
    let manager = manage(&next);
    cache.put_many(&entries[..50], None).await.unwrap();
    assert_eq!(exact(&client, &next).await.usage.entries, 100);
    manager.stop().await;
}

/// Whatever its keys look like, a namespace touches nothing of another one, nor of anybody else.
#[tokio::test]
async fn keys_that_look_like_names_of_another_namespace_do_not_reach_it() {
    let server = own_server(&[]);
    let victim = Site::new(std::sync::Arc::clone(&server), limited(1000));
    let mut attacker = Site::new(server, limited(5));
    attacker.namespace = format!("{}0", victim.namespace).parse().unwrap();
    let precious = victim.open().await;
    put(&precious, "k", "precious").await;
    let others = ["plain", "inval:", "inval:{}:k:x"];
    for name in others {
        victim.foreign(&["SET", name, "foreign"]);
    }
    let before = everything(&victim, &attacker);

    let cache = attacker.open().await;
    let manager = manage(&cache);
    let name = &victim.namespace;
    for key in [
        format!("inval:{{{name}:0}}:k:k"),
        format!("}}:0}}:k:inval:{{{name}:0}}:k:k"),
        format!("\0inval:{{{name}:0}}:k:k"),
        format!("\r\nDEL inval:{{{name}:0}}:k:k\r\n"),
        format!("../{name}"),
        "*".to_owned(),
        "k".to_owned(),
        "plain".to_owned(),
    ] {
        put(&cache, &key, "value").await;
        cache.invalidate(&[Key::new(key.as_bytes()).unwrap()]).await.unwrap();
        put(&cache, &key, "value").await;
    }
    exact(&attacker.client().await, &cache).await;
    cache.clear().await.unwrap();
    manager.stop().await;
    assert_eq!(everything(&victim, &attacker), before);
}

/// Every name on the server with its value, but those of `except`.
fn everything(site: &Site, except: &Site) -> Vec<(String, Reply)> {
    let names = site.foreign(&["KEYS", "*"]);
    let names = names.items().iter().map(|name| name.text().unwrap().to_owned());
    let theirs = format!("inval:{{{}", except.namespace);
    let mut all: Vec<_> = names
        .filter(|name| !name.starts_with(&theirs))
        .map(|name| {
            let dump = site.foreign(&["DUMP", &name]);
            (name, dump)
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}
