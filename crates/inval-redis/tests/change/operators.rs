//! Those who change the configuration: of two at once one is told, and what cannot change does not.

use std::time::Duration;

use inval_core::{ChangeError, Config, ConfigBuilder, ReconfigureError, Store, Strategy};
use inval_redis::{Cache, Error};

use crate::support::site::{Site, limited};

async fn change(cache: &Cache, config: ConfigBuilder) -> Result<(), ReconfigureError<Error>> {
    cache.reconfigure(&config.build().unwrap()).await
}

#[tokio::test]
async fn who_comes_second_is_told_and_keeps_to_what_is_there() {
    let site = Site::shared(limited(100));
    let (first, second) = (site.open().await, site.open().await);
    change(&first, limited(200)).await.unwrap();
    let refused = change(&second, limited(300)).await;
    assert_eq!(refused, Err(ReconfigureError::Store(Error::ChangedMeanwhile)));
    assert_eq!(second.config().max_entries(), Some(200));
    assert!(site.config_text().unwrap().contains("max_entries=200 "));
    // Now it knows what it changes.
    change(&second, limited(300)).await.unwrap();
    assert!(site.config_text().unwrap().contains("max_entries=300 "));
}

#[tokio::test]
async fn of_two_at_once_just_one_changes_it() {
    let site = Site::shared(limited(100));
    drop(site.open().await);
    for round in 1..50 {
        let (first, second) = (site.try_attach().await.unwrap(), site.try_attach().await.unwrap());
        let [a, b] = [round * 1_000 + 1, round * 1_000 + 2];
        let (of_a, of_b) = tokio::join!(change(&first, limited(a)), change(&second, limited(b)));
        let told = Err(ReconfigureError::Store(Error::ChangedMeanwhile));
        let stays = if of_a.is_ok() { a } else { b };
        assert!([(Ok(()), told), (told, Ok(()))].contains(&(of_a, of_b)), "{of_a:?}, {of_b:?}");
        assert!(site.config_text().unwrap().contains(&format!("max_entries={stays} ")));
        assert_eq!([first, second].map(|cache| cache.config().max_entries()), [Some(stays); 2]);
    }
}

#[tokio::test]
async fn what_cannot_change_is_refused_and_stays_on_the_server() {
    let site = Site::shared(limited(100)).with(|options| options.partitions = 4);
    let (cache, text) = (site.open().await, site.config_text());
    let check = async |config: ConfigBuilder, want: ChangeError| {
        assert_eq!(change(&cache, config).await, Err(ReconfigureError::Change(want)));
        assert_eq!((cache.config(), site.config_text()), (site.config, text.clone()));
    };
    let second = Duration::from_secs(1);
    let fixed = |field| ChangeError::Fixed { field };
    check(limited(50).strategy(Strategy::Lru), fixed("strategy")).await;
    check(limited(50).time_to_idle(second), fixed("time_to_idle")).await;
    check(limited(3), ChangeError::NoRoom { partitions: 4 }).await;

    let idle = || Config::builder().time_to_idle(second);
    let site = Site::shared(idle());
    let cache = site.open().await;
    let refused = change(&cache, idle().ttl(2 * second)).await;
    assert_eq!(refused, Err(ReconfigureError::Change(ChangeError::TtlBesidesIdle)));
    change(&cache, idle().max_entries(7)).await.unwrap();
}

#[tokio::test]
async fn what_only_a_later_program_knows_is_not_lost() {
    let site = Site::shared(limited(100));
    drop(site.open().await);
    let text = site.config_text().unwrap();
    site.set_config_text(&format!("{text} colour=red"));
    for cache in [site.open().await, site.try_attach().await.unwrap()] {
        let most = cache.config().max_entries().unwrap();
        change(&cache, limited(most + 100)).await.unwrap();
        let want = text.replace("max_entries=100", &format!("max_entries={}", most + 100));
        assert_eq!(site.config_text(), Some(format!("{want} colour=red")));
        change(&cache, limited(100)).await.unwrap();
    }
}
