//! Clients with a secret, and what they are told who have another one or none.

use inval_core::{Budget, Store};
use inval_redis::{Cache, Disagreement, Error, KeySecret, KeySecrets, OpenError};

use crate::support::site::{Site, key, roomy};

pub(super) fn secrets(current: u8, old: Option<u8>) -> KeySecrets {
    let secrets = KeySecrets::new(KeySecret::new([current; 32]));
    old.map_or(secrets.clone(), |old| secrets.with_old(KeySecret::new([old; 32])))
}

pub(super) async fn open(site: &Site, secrets: &KeySecrets) -> Result<Cache, OpenError> {
    let (client, namespace) = (site.client().await, site.namespace.clone());
    Cache::open_with_secrets(client, namespace, site.config, site.options, secrets).await
}

#[tokio::test]
async fn whoever_has_another_secret_is_told_so() {
    let site = Site::shared(roomy());
    open(&site, &secrets(1, None)).await.unwrap();
    let check = |got: Result<Cache, OpenError>, want: Option<Disagreement>| {
        assert_eq!(got.err(), want.map(OpenError::from));
    };
    check(open(&site, &secrets(1, None)).await, None);
    check(open(&site, &secrets(2, Some(1))).await, None);
    check(open(&site, &secrets(2, None)).await, Some(Disagreement::OtherKeySecret));
    check(site.try_open().await, Some(Disagreement::NoKeySecret));
    let attach = async |secrets| {
        let (client, namespace) = (site.client().await, site.namespace.clone());
        Cache::attach_with_secrets(client, namespace, site.options.engine, &secrets).await
    };
    check(attach(secrets(1, None)).await, None);
    check(attach(secrets(2, None)).await, Some(Disagreement::OtherKeySecret));

    let plain = Site::shared(roomy());
    plain.open().await;
    check(open(&plain, &secrets(1, None)).await, Some(Disagreement::PlainKeys));
}

#[tokio::test]
async fn without_the_secret_all_can_be_done_that_names_no_key() {
    let site = Site::shared(roomy());
    let cache = open(&site, &secrets(1, None)).await.unwrap();
    let _stored = cache.put(&key("alice"), "value".into(), Default::default()).await.unwrap();
    let without = site.try_attach().await.unwrap();
    assert_eq!(without.get(&key("alice")).await, Err(Error::KeySecret));
    assert_eq!(without.invalidate(&[key("alice")]).await, Err(Error::KeySecret));
    assert_eq!(without.put(&key("a"), "v".into(), Default::default()).await, Err(Error::KeySecret));
    assert_eq!(without.contains(&key("alice")).await, Err(Error::KeySecret));
    crate::support::patience::until("the entry is on the books", async || {
        without.maintain(0, Budget::within(std::time::Duration::from_millis(5))).await.unwrap();
        without.usage().await.unwrap().entries == 1
    })
    .await;
    without.reconfigure(&roomy().max_bytes(1 << 30).build().unwrap()).await.unwrap();
    assert!(open(&site, &secrets(1, None)).await.is_err(), "limits differ");
    without.clear().await.unwrap();
    assert_eq!(cache.get(&key("alice")).await, Ok(None));
    without.destroy().await.unwrap();
}
