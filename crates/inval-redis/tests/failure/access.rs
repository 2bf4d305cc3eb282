//! TLS, and a user of its own behind it. What users need is tested in `privilege`.

use inval_test_servers::{Endpoint, Options, Reply, Server};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::site::{Site, limited};
use crate::support::values::{count, fill, names};

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
