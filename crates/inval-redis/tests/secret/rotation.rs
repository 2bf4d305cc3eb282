//! One secret takes the place of another while clients work.

use std::time::Duration;

use inval_core::digest::KeyDigester;
use inval_core::{Key, Lifetime, Put, PutCondition, PutOptions, Store};
use inval_redis::{Cache, Error, KeySecret, Rotation};

use super::clients::{open, secrets};
use crate::support::patience::until;
use crate::support::site::{Site, key, roomy};

async fn put(cache: &Cache, name: &str, value: &'static str) {
    let put = cache.put(&key(name), value.into(), PutOptions::default()).await;
    assert_eq!(put, Ok(Put::Stored), "{name}");
}

async fn value(cache: &Cache, name: &str) -> Option<String> {
    let value = cache.get(&key(name)).await.unwrap();
    value.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

/// By which of two secrets the entry of a key is kept.
fn kept(site: &Site, name: &str) -> Vec<u8> {
    let is_kept = |secret: &u8| {
        let digester = KeyDigester::new(&KeySecret::new([*secret; 32]), &site.namespace);
        let digest: Key = digester.digest(&key(name));
        site.has(std::str::from_utf8(digest.as_bytes()).unwrap())
    };
    [1, 2].into_iter().filter(is_kept).collect()
}

#[tokio::test]
async fn what_the_old_secret_wrote_is_found_until_it_is_given_up() {
    for partitions in [1, 3] {
        let site = Site::shared(roomy()).with(|options| options.partitions = partitions);
        let before = open(&site, &secrets(1, None)).await.unwrap();
        for name in ["a", "b", "c", "d", "e"] {
            put(&before, name, "old").await;
        }
        let both = open(&site, &secrets(2, Some(1))).await.unwrap();
        put(&both, "f", "old").await;
        assert_eq!(kept(&site, "f"), [1], "not until all have both");
        assert_eq!(value(&before, "f").await.as_deref(), Some("old"));

        both.rotate_key_secret(Rotation::Begin).await.unwrap();
        both.rotate_key_secret(Rotation::Begin).await.unwrap();
        assert_eq!(value(&both, "a").await.as_deref(), Some("old"));
        put(&both, "a", "new").await;
        assert_eq!(kept(&site, "a"), [2]);
        assert_eq!(value(&both, "a").await.as_deref(), Some("new"));
        assert_eq!(both.invalidate(&[key("b"), key("a"), key("none")]).await, Ok(2));
        assert_eq!((value(&both, "a").await, value(&both, "b").await), (None, None));
        let entries = [(key("c"), "new".into()), (key("g"), "new".into())];
        assert_eq!(both.put_many(&entries, None).await, Ok(vec![Put::Stored; 2]));
        assert_eq!((kept(&site, "c"), kept(&site, "g")), (vec![2], vec![2]));
        let many = both.get_many(&[key("c"), key("d"), key("none"), key("g")]).await.unwrap();
        let many: Vec<_> = many.iter().map(|value| value.as_deref()).collect();
        assert_eq!(many, [Some(&b"new"[..]), Some(b"old"), None, Some(b"new")]);
        assert!(
            both.contains(&key("d")).await.unwrap() && !both.contains(&key("none")).await.unwrap()
        );
        assert_eq!(both.lifetime(&key("d")).await, Ok(Lifetime::Unlimited));
        assert_eq!(both.lifetime(&key("none")).await, Ok(Lifetime::Absent));

        let late = open(&site, &secrets(2, Some(1))).await.unwrap();
        assert_eq!(value(&late, "d").await.as_deref(), Some("old"));
        late.rotate_key_secret(Rotation::End).await.unwrap();
        let after = open(&site, &secrets(2, None)).await.unwrap();
        assert_eq!(value(&after, "c").await.as_deref(), Some("new"));
        assert_eq!(value(&after, "d").await, None);
        // Whoever has both finds no more than others do, so that nothing deleted by those comes back.
        assert_eq!(value(&late, "d").await, None);
        put(&after, "d", "new").await;
        assert_eq!(kept(&site, "d"), [1, 2]);
        assert_eq!(after.invalidate(&[key("d")]).await, Ok(1));
        assert_eq!(value(&late, "d").await, None);
        assert_eq!(late.invalidate(&[key("d")]).await, Ok(1), "for those who have not noticed");
    }
}

#[tokio::test]
async fn conditions_look_at_what_either_secret_wrote() {
    let site = Site::shared(roomy());
    put(&open(&site, &secrets(1, None)).await.unwrap(), "a", "old").await;
    let both = open(&site, &secrets(2, Some(1))).await.unwrap();
    both.rotate_key_secret(Rotation::Begin).await.unwrap();
    let check = async |name: &str, condition, want: Put, value: Option<&str>| {
        let options = PutOptions { condition, ..PutOptions::default() };
        assert_eq!(
            both.put(&key(name), "new".into(), options).await,
            Ok(want),
            "{name} {condition:?}"
        );
        assert_eq!(self::value(&both, name).await.as_deref(), value, "{name} {condition:?}");
    };
    check("a", PutCondition::IfAbsent, Put::Unmet, Some("old")).await;
    check("a", PutCondition::IfPresent, Put::Stored, Some("new")).await;
    assert_eq!(kept(&site, "a"), [2]);
    check("b", PutCondition::IfPresent, Put::Unmet, None).await;
    check("b", PutCondition::IfAbsent, Put::Stored, Some("new")).await;
    check("b", PutCondition::IfAbsent, Put::Unmet, Some("new")).await;
}

#[tokio::test]
async fn a_client_that_has_not_noticed_yet_does_no_harm() {
    let site = Site::shared(roomy());
    let slow = open(&site, &secrets(2, Some(1))).await.unwrap();
    // The namespace was made by the current secret, so the old one is none that is in use.
    assert_eq!(slow.rotate_key_secret(Rotation::End).await, Ok(()));
    let site = Site::shared(roomy());
    drop(open(&site, &secrets(1, None)).await.unwrap());
    let quick = open(&site, &secrets(2, Some(1))).await.unwrap();
    let slow = open(&site, &secrets(2, Some(1))).await.unwrap();
    quick.rotate_key_secret(Rotation::Begin).await.unwrap();
    put(&quick, "a", "new").await;
    // Whichever of them writes, what the other wrote is gone.
    put(&slow, "a", "newer").await;
    assert_eq!(kept(&site, "a").len(), 1);
    assert_eq!(value(&quick, "a").await.as_deref(), Some("newer"));
    put(&quick, "a", "newest").await;
    assert_eq!(value(&slow, "a").await.as_deref(), Some("newest"));
    assert_eq!(slow.invalidate(&[key("a")]).await, Ok(1));
    assert_eq!(value(&quick, "a").await, None);
}

#[tokio::test]
async fn whoever_lacks_the_current_secret_is_told_within_about_a_second() {
    let site = Site::shared(roomy());
    let before = open(&site, &secrets(1, None)).await.unwrap();
    assert_eq!(before.rotate_key_secret(Rotation::Begin).await, Err(Error::KeySecret));
    let both = open(&site, &secrets(2, Some(1))).await.unwrap();
    both.rotate_key_secret(Rotation::Begin).await.unwrap();
    until("it is told", async || before.get(&key("a")).await == Err(Error::KeySecret)).await;
    // Its upkeep goes on.
    before.maintain(0, inval_core::Budget::within(Duration::from_millis(5))).await.unwrap();
    let opened = open(&site, &secrets(2, None)).await;
    assert!(opened.is_err(), "what the old one wrote would not be found");
}
