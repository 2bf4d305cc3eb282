//! Which namespaces a server has.

use std::collections::BTreeSet;

use inval_core::Namespace;
use inval_core::keyspace::{CONFIGS, Keyspace};

use crate::connect::{Client, Cursor};
use crate::error::Error;

/// About how many keys a server looks at for a page.
const PAGE: u32 = 1000;
/// How often the search is begun anew because nodes of a Cluster have taken the place of others.
const ATTEMPTS: usize = 3;

/// The namespaces on a server, or in a Cluster, in the order of their names. Goes through the names of all
/// keys there, page by page.
pub async fn namespaces(client: &Client) -> Result<Vec<Namespace>, Error> {
    for _ in 0..ATTEMPTS {
        let (routes, mut found) = (client.routes(), BTreeSet::new());
        for route in &routes {
            search(client, route, &mut found).await?;
        }
        if client.routes() == routes {
            return Ok(found.into_iter().collect());
        }
    }
    Err(Error::ScanInterrupted)
}

/// Adds the namespaces whose configuration is on the server that has `route`.
async fn search(
    client: &Client,
    route: &[u8],
    found: &mut BTreeSet<Namespace>,
) -> Result<(), Error> {
    let mut next = Some(Cursor::START);
    while let Some(cursor) = next {
        match client.scan(route, cursor, CONFIGS.as_bytes(), PAGE).await {
            Ok(page) => {
                found.extend(page.names.iter().filter_map(|name| Keyspace::namespace_of(name)));
                next = page.next;
            }
            Err(Error::ScanInterrupted) => next = Some(Cursor::START),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
