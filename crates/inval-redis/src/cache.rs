//! The cache: one namespace on a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use inval_core::engine::EngineSettings;
use inval_core::keyspace::{Keyspace, partition_of};
use inval_core::{Budget, ChangeError, Config, Key, Namespace, RemovalListener, Slice, Weight};
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;

use crate::agreement::{Agreement, Disagreement, OpenError};
use crate::connect::{Client, Cursor, Repeat};
use crate::error::{Error, Estrangement};
use crate::follow::{self, Follower, Rotation, Terms};
use crate::keeper::Keeper;
use crate::pressure::Pressure;
use crate::reads::Reads;
use crate::secrets::{Digesters, KeySecrets, Keying, Places};
use crate::wire;

/// About how many names a page of a scan goes through whose entries are unlinked at once.
const UNLINK_BATCH: u32 = 256;
/// How often is looked whether a report has ended.
const REPORT_INTERVAL: Duration = Duration::from_millis(1);
/// How long books are waited for that a slice works on: about two slices. One that waits for its server takes
/// longer, and whoever only wants to know something does not wait with it.
const BOOKS_PATIENCE: Duration = Duration::from_millis(20);

/// How a client works with a namespace. `partitions` and `journal_cap` must be the same in all clients.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CacheOptions {
    /// Into how many parts the namespace is split: one is right for a single server, some for each node
    /// of a Cluster. Each has its share of the limits.
    pub partitions: u32,
    /// The most records a journal may have before it is dropped.
    pub journal_cap: u64,
    /// How the manager works, if this process is to be one.
    pub engine: EngineSettings,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { partitions: 1, journal_cap: 100_000, engine: EngineSettings::default() }
    }
}

/// A namespace on a Redis or Valkey server. Cheap to clone; all clones are one client. See the
/// [crate's documentation](crate) for an example.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    namespace: Namespace,
    follower: Follower,
    digesters: Digesters,
    journal_cap: u64,
    time_to_idle: Option<Duration>,
    partitions: Box<[Partition]>,
    /// Wakes whoever waits for a partition to need a manager.
    alarm: Arc<Notify>,
    watcher: ArcSwapOption<RemovalListener>,
}

/// What a client knows of a partition.
pub(crate) struct Partition {
    pub(crate) index: usize,
    pub(crate) names: Keyspace,
    pub(crate) pressure: Pressure,
    pub(crate) reads: Reads,
    pub(crate) keeper: Mutex<Keeper>,
}

impl Cache {
    /// Opens a namespace that is to keep to `config`; creates it if it is not there. Fails if the
    /// namespace keeps to another configuration. Where that [could be
    /// changed](crate::Disagreement::is_changeable), [`attach`](Self::attach) and
    /// [`reconfigure`](inval_core::Store::reconfigure) change it.
    pub async fn open(
        client: Client,
        namespace: Namespace,
        config: Config,
        options: CacheOptions,
    ) -> Result<Self, OpenError> {
        let wanted = Agreement::new(config, options.partitions, options.journal_cap)?;
        let digesters = Digesters::default();
        Self::create(client, namespace, (wanted, digesters), options.engine).await
    }

    /// The same where digests stand for keys on the server, so that nobody who can look there can tell whose an entry
    /// is. All clients need the secrets, but for those that use no key: managers, and who reads statistics.
    pub async fn open_with_secrets(
        client: Client,
        namespace: Namespace,
        config: Config,
        options: CacheOptions,
        secrets: &KeySecrets,
    ) -> Result<Self, OpenError> {
        let wanted = Agreement::new(config, options.partitions, options.journal_cap)?;
        let digesters = secrets.digesters(&namespace);
        let current = digesters.first().map(|digester| digester.fingerprint());
        let wanted = wanted.with_secrets(current.into_iter().collect());
        Self::create(client, namespace, (wanted, digesters), options.engine).await
    }

    async fn create(
        client: Client,
        namespace: Namespace,
        (wanted, digesters): (Agreement, Digesters),
        engine: EngineSettings,
    ) -> Result<Self, OpenError> {
        let text = wanted.text().into_bytes();
        let text = follow::read_or_create(&client, &namespace, &text).await?;
        let agreement = wanted.confirmed_by(&text)?;
        let terms = keep_secret(agreement, text, &digesters)?;
        Ok(Self::assemble(client, namespace, (terms, digesters), engine))
    }

    /// Opens a namespace that is there, with the configuration, the partitions and the cap of the journal that it
    /// has.
    pub async fn attach(
        client: Client,
        namespace: Namespace,
        engine: EngineSettings,
    ) -> Result<Self, OpenError> {
        let text = follow::read(&client, &namespace).await?.ok_or(OpenError::Unknown)?;
        let agreement = Agreement::read(&text)?;
        let partitions = agreement.partitions;
        let digesters = Digesters::default();
        let terms = Terms::new(agreement, text, &digesters);
        let terms = terms.ok_or(OpenError::Partitions(partitions))?;
        Ok(Self::assemble(client, namespace, (terms, digesters), engine))
    }

    /// The same in a namespace that keeps digests of keys. Without the secrets, which this checks, whatever names a key
    /// fails there with [`Error::KeySecret`].
    pub async fn attach_with_secrets(
        client: Client,
        namespace: Namespace,
        engine: EngineSettings,
        secrets: &KeySecrets,
    ) -> Result<Self, OpenError> {
        let text = follow::read(&client, &namespace).await?.ok_or(OpenError::Unknown)?;
        let agreement = Agreement::read(&text)?;
        let digesters = secrets.digesters(&namespace);
        let terms = keep_secret(agreement, text, &digesters)?;
        Ok(Self::assemble(client, namespace, (terms, digesters), engine))
    }

    fn assemble(
        client: Client,
        namespace: Namespace,
        (terms, digesters): (Terms, Digesters),
        engine: EngineSettings,
    ) -> Self {
        let journal_cap = terms.agreement.journal_cap;
        let time_to_idle = terms.agreement.config.time_to_idle();
        let alarm = Arc::new(Notify::new());
        let partition = |(index, limits): (usize, &Config)| Partition {
            index,
            names: Keyspace::new(&namespace, index as u32),
            pressure: Pressure::new(journal_cap, limits, engine.headroom, Arc::clone(&alarm)),
            reads: Reads::new(),
            keeper: Mutex::new(Keeper::new(limits, engine)),
        };
        let partitions = terms.parts.iter().enumerate().map(partition).collect();
        let shared = Shared {
            client: client.with_scripts(wire::scripts()),
            namespace,
            follower: Follower::new(terms),
            digesters,
            journal_cap,
            time_to_idle,
            partitions,
            alarm,
            watcher: ArcSwapOption::empty(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The name of the namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.shared.namespace
    }

    /// What the namespace keeps to, as far as this client knows.
    pub fn config(&self) -> Config {
        self.terms().agreement.config
    }

    /// Has another key secret take the place of the one in use; see [`Rotation`]. This client must have been opened
    /// with both, and before it begins all others as well: those without the current one can use no key any more. All
    /// follow within about a second. Doing a step again does nothing.
    pub async fn rotate_key_secret(&self, step: Rotation) -> Result<(), Error> {
        self.rotate(step).await
    }

    /// Gives up the leases that this client holds, so that another manager can take over at once. This
    /// client manages no more: for it [`maintain`](inval_core::Store::maintain) has nothing to do from now on.
    pub async fn release(&self) -> Result<(), Error> {
        for partition in &self.shared.partitions {
            let mut keeper = partition.keeper.lock().await;
            let left = keeper.leave(self.client(), &partition.names).await;
            self.tell_removals(&mut keeper);
            left?;
        }
        Ok(())
    }

    /// Deletes the namespace: its entries, then all else that it has on the server. Nobody may work with
    /// it any more, and the manager in this client ends. After an error it can be called again.
    pub async fn destroy(&self) -> Result<(), Error> {
        self.shared.follower.end().await;
        self.release().await?;
        for partition in &self.shared.partitions {
            // A report under way would bring accounts and access buffer back.
            while partition.reads.begin().is_none() {
                tokio::time::sleep(REPORT_INTERVAL).await;
            }
            partition.reads.told(None);
            self.unlink_entries(&partition.names).await?;
            let names = &partition.names;
            let own = [names.journal(), names.accesses(), names.lease(), names.accounts()];
            self.unlink(&own).await?;
        }
        self.unlink(&[Keyspace::config(&self.shared.namespace)]).await
    }

    async fn unlink_entries(&self, names: &Keyspace) -> Result<(), Error> {
        let pattern = [names.entries().as_bytes(), b"*"].concat();
        let routing = names.accounts().as_bytes();
        let mut next = Some(Cursor::START);
        while let Some(cursor) = next {
            let page = self.client().scan(routing, cursor, &pattern, UNLINK_BATCH).await;
            if page == Err(Error::ScanInterrupted) {
                next = Some(Cursor::START);
                continue;
            }
            let page = page?;
            if !page.names.is_empty() {
                self.unlink(&page.names).await?;
            }
            next = page.next;
        }
        Ok(())
    }

    async fn unlink(&self, names: &[impl redis::ToRedisArgs]) -> Result<(), Error> {
        let mut unlink = redis::cmd("UNLINK");
        names.iter().for_each(|name| _ = unlink.arg(name));
        self.client().command(&unlink, Repeat::Safe).await?;
        Ok(())
    }

    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    pub(crate) fn digesters(&self) -> &Digesters {
        &self.shared.digesters
    }

    /// Under which keys the entry of `key` may be kept.
    pub(crate) fn places<'a>(&self, key: &'a Key) -> Result<Places<'a>, Error> {
        self.terms().keying.places(key)
    }

    /// The most records that a journal of the namespace may have.
    pub fn journal_cap(&self) -> u64 {
        self.shared.journal_cap
    }

    pub(crate) fn time_to_idle(&self) -> Option<Duration> {
        self.shared.time_to_idle
    }

    pub(crate) fn follower(&self) -> &Follower {
        &self.shared.follower
    }

    /// What this client keeps to now.
    pub(crate) fn terms(&self) -> Guard<Arc<Terms>> {
        self.shared.follower.terms()
    }

    pub(crate) fn partitions(&self) -> &[Partition] {
        &self.shared.partitions
    }

    pub(crate) fn index_of(&self, key: &Key) -> usize {
        partition_of(key, self.shared.partitions.len() as u32) as usize
    }

    pub(crate) fn partition_of(&self, key: &Key) -> &Partition {
        &self.shared.partitions[self.index_of(key)]
    }

    pub(crate) fn partition(&self, number: u32) -> &Partition {
        let last = self.shared.partitions.len() - 1;
        &self.shared.partitions[(number as usize).min(last)]
    }

    /// Does a slice of upkeep by what the namespace keeps to on the server.
    pub(crate) async fn maintain(&self, number: u32, budget: Budget) -> Result<Slice, Error> {
        self.follow().await?;
        let partition = self.partition(number);
        let mut keeper = partition.keeper.lock().await;
        keeper.keep_to(&self.terms().parts[partition.index]).map_err(estranged)?;
        if self.shared.watcher.load().is_some() {
            keeper.collect_removals();
        }
        let slice = keeper.work(self.client(), &partition.names, budget).await;
        partition.pressure.ease(keeper.backlog());
        self.tell_removals(&mut keeper);
        slice
    }

    /// What the books of this process say of an entry (see [`Keeper::booked`]); nothing if it has none, or works
    /// on them for longer than is worth waiting for.
    pub(crate) async fn booked(&self, key: &Key) -> Option<(Weight, Option<Duration>)> {
        let keeper = self.partition_of(key).keeper.lock();
        timeout(BOOKS_PATIENCE, keeper).await.ok()?.booked(key)
    }

    /// Tells whoever watches what has left the books. It is told under the lock of the partition, in order.
    fn tell_removals(&self, keeper: &mut Keeper) {
        if let Some(listener) = &*self.shared.watcher.load() {
            keeper.tell_removals(listener);
        }
    }

    pub(crate) fn watch(&self, listener: RemovalListener) {
        self.shared.watcher.store(Some(Arc::new(listener)));
    }

    /// Waits for a partition whose backlog has become long.
    pub(crate) async fn pressed(&self) -> u32 {
        loop {
            let heard = self.partitions().iter().find(|partition| partition.pressure.hear());
            if let Some(partition) = heard {
                return partition.index as u32;
            }
            self.shared.alarm.notified().await;
        }
    }
}

/// The terms of a client that has these secrets, if they are those of the namespace.
fn keep_secret(
    agreement: Agreement,
    text: Vec<u8>,
    digesters: &Digesters,
) -> Result<Terms, OpenError> {
    let partitions = agreement.partitions;
    let terms = Terms::new(agreement, text, digesters).ok_or(OpenError::Partitions(partitions))?;
    match (&terms.keying, digesters.is_empty()) {
        (Keying::Unknown, _) => Err(Disagreement::OtherKeySecret.into()),
        (Keying::Plain, false) => Err(Disagreement::PlainKeys.into()),
        _ => Ok(terms),
    }
}

/// What a client has come to keep to can be kept to by its engines, so this tells of what does not happen.
fn estranged(error: ChangeError) -> Error {
    match error {
        ChangeError::Fixed { field } => Estrangement::Fixed { field }.into(),
        ChangeError::TtlBesidesIdle | ChangeError::NoRoom { .. } => Estrangement::Unreadable.into(),
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("namespace", &self.shared.namespace)
            .field("config", &self.config())
            .field("partitions", &self.shared.partitions.len())
            .finish_non_exhaustive()
    }
}
