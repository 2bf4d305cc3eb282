//! The operations: reads of one command, writes of one transaction.

use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::record::Record;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutCondition, PutOptions,
    ReconfigureError, Rejection, RemovalListener, Slice, Stats, Store, Usage, Weight,
};
use redis::{Cmd, Pipeline, Value, cmd};

use crate::cache::{Cache, Partition};
use crate::connect::{Cursor as ScanCursor, Repeat};
use crate::error::Error;
use crate::pressure::Relief;
use crate::secrets::Places;
use crate::wire;

/// The largest value that a Redis server takes by default (`proto-max-bulk-len`).
const MOST_BYTES: usize = 512 << 20;
/// The most entries that one transaction deletes, which bounds how long it holds the server.
const DELETE_BATCH: u32 = 256;
/// How often a write that waits for room looks at the journal, and how long it waits at the most.
const CEILING_INTERVAL: Duration = Duration::from_millis(2);
const CEILING_PATIENCE: Duration = Duration::from_secs(5);

impl Store for Cache {
    type Error = Error;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        let Places { first, other, .. } = self.places(key)?;
        let mut at = &*first;
        let mut value = self.read_at(at).await?;
        if let (None, Some(other)) = (&value, &other) {
            at = other;
            value = self.read_at(at).await?;
        }
        self.count_read(self.partition_of(at), at, value.is_some());
        Ok(value)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        let places = keys.iter().map(|key| self.places(key)).collect::<Result<Vec<_>, _>>()?;
        let mut at: Vec<&Key> = places.iter().map(|places| &*places.first).collect();
        let mut values = self.read_each(&at).await?;
        let missing = |&place: &usize| values[place].is_none() && places[place].other.is_some();
        let missing: Vec<usize> = (0..keys.len()).filter(missing).collect();
        if !missing.is_empty() {
            missing
                .iter()
                .for_each(|&place| at[place] = places[place].other.as_ref().unwrap_or(at[place]));
            let others: Vec<&Key> = missing.iter().map(|&place| at[place]).collect();
            for (place, value) in missing.into_iter().zip(self.read_each(&others).await?) {
                values[place] = value;
            }
        }
        for (at, value) in at.into_iter().zip(&values) {
            self.count_read(self.partition_of(at), at, value.is_some());
        }
        Ok(values)
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Error> {
        let places = self.places(key)?;
        let mut condition = options.condition;
        if condition != PutCondition::Always
            && let Some(other) = &places.other
            && self.is_at(other).await?
        {
            if condition == PutCondition::IfAbsent {
                return Ok(Put::Unmet);
            }
            condition = PutCondition::Always;
        }
        let stale: Vec<&Key> = places.stale().collect();
        if condition == PutCondition::Always && !stale.is_empty() {
            self.delete_each(&stale).await?;
        }
        self.put_at(&places.first, value, PutOptions { condition, ..options }).await
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Error> {
        let mut outcome = vec![Put::Stored; entries.len()];
        let keyed =
            entries.iter().map(|(key, _)| self.places(key)).collect::<Result<Vec<_>, _>>()?;
        let entries: Vec<(&Key, &Bytes)> =
            keyed.iter().zip(entries).map(|(places, (_, value))| (&*places.first, value)).collect();
        let check =
            |&(key, value): &(&Key, &Bytes)| self.check(self.partition_of(key), key, value, ttl);
        let lives = entries.iter().map(check).collect::<Result<Vec<_>, Error>>()?;
        let stale: Vec<&Key> = keyed.iter().flat_map(Places::stale).collect();
        self.delete_each(&stale).await?;
        for (partition, places) in self.by_partition(entries.iter().map(|&(key, _)| key)) {
            for places in places.chunks(partition.pressure.most_at_once()) {
                self.await_room(partition).await?;
                let (mut pipe, mut records) = (transaction(), Vec::new());
                for &at in places {
                    let (key, value) = entries[at];
                    match lives[at] {
                        Ok(ttl) => {
                            push_set(&mut pipe, partition, key, value, ttl, PutCondition::Always);
                            records.push(put_record(key, value, ttl).encode());
                        }
                        Err(reason) => {
                            outcome[at] = Put::Rejected(reason);
                            pipe.cmd("UNLINK").arg(partition.names.entry(key.as_bytes()));
                            records.push(Record::Deleted { key: key.as_bytes() }.encode());
                        }
                    }
                }
                self.send_with_records(partition, pipe, &records, Repeat::Never).await?;
            }
        }
        Ok(outcome)
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Error> {
        let places = keys.iter().map(|key| self.places(key)).collect::<Result<Vec<_>, _>>()?;
        let firsts = places.iter().map(|places| &*places.first);
        let all: Vec<&Key> = firsts.chain(places.iter().flat_map(Places::stale)).collect();
        self.delete_each(&all).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, Error> {
        let Places { first, other, .. } = self.places(key)?;
        let is_at_first = self.is_at(&first).await?;
        match other.filter(|_| !is_at_first) {
            Some(other) => self.is_at(&other).await,
            None => Ok(is_at_first),
        }
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Error> {
        let Places { first, other, .. } = self.places(key)?;
        let lifetime = self.lifetime_at(&first).await?;
        match other.filter(|_| lifetime == Lifetime::Absent) {
            Some(other) => self.lifetime_at(&other).await,
            None => Ok(lifetime),
        }
    }

    /// Asks nothing that counts as an access, as asking for the length of the value would. The idle time is told
    /// in seconds, and not at all under an LFU `maxmemory-policy`; weight and age only where this process manages
    /// the partition.
    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Error> {
        let Places { first, other, .. } = self.places(key)?;
        let info = self.inspect_at(&first).await?;
        match other.filter(|_| info.is_none()) {
            Some(other) => self.inspect_at(&other).await,
            None => Ok(info),
        }
    }

    /// Without the secret none is known, and the key itself names no entry.
    fn aliases(&self, key: &Key) -> Vec<Key> {
        self.places(key).map_or_else(|_| vec![key.clone()], Places::all)
    }

    async fn clear(&self) -> Result<(), Error> {
        for partition in self.partitions() {
            self.clear_partition(partition).await?;
        }
        Ok(())
    }

    async fn usage(&self) -> Result<Usage, Error> {
        Ok(self.stats().await?.usage)
    }

    async fn stats(&self) -> Result<Stats, Error> {
        self.total().await
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Error> {
        Self::page(self, partition, cursor, size).await
    }

    fn partitions(&self) -> u32 {
        Self::partitions(self).len() as u32
    }

    fn config(&self) -> Config {
        Self::config(self)
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Error>> {
        self.change(config).await
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Error> {
        Self::maintain(self, partition, budget).await
    }

    async fn pressed(&self) -> u32 {
        Self::pressed(self).await
    }

    fn watch(&self, listener: RemovalListener) {
        Self::watch(self, listener);
    }

    async fn release(&self) -> Result<(), Error> {
        Self::release(self).await
    }
}

impl Cache {
    /// The value under a key as it stands on the server.
    async fn read_at(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        let name = self.partition_of(key).names.entry(key.as_bytes());
        bytes(self.client().command(&self.read(name), Repeat::Safe).await?)
    }

    async fn read_each(&self, keys: &[&Key]) -> Result<Vec<Option<Bytes>>, Error> {
        let mut values = vec![None; keys.len()];
        for (partition, places) in self.by_partition(keys.iter().copied()) {
            let names = places.iter().map(|&at| partition.names.entry(keys[at].as_bytes()));
            let found = self.read_all(names.collect()).await?;
            for (at, value) in places.into_iter().zip(found) {
                values[at] = bytes(value)?;
            }
        }
        Ok(values)
    }

    async fn is_at(&self, key: &Key) -> Result<bool, Error> {
        let mut exists = cmd("EXISTS");
        exists.arg(self.partition_of(key).names.entry(key.as_bytes()));
        let count = self.client().command(&exists, Repeat::Safe).await?;
        Ok(wire::number(&count)? > 0)
    }

    async fn lifetime_at(&self, key: &Key) -> Result<Lifetime, Error> {
        let mut pttl = cmd("PTTL");
        pttl.arg(self.partition_of(key).names.entry(key.as_bytes()));
        lifetime(&self.client().command(&pttl, Repeat::Safe).await?)
    }

    async fn inspect_at(&self, key: &Key) -> Result<Option<EntryInfo>, Error> {
        let name = self.partition_of(key).names.entry(key.as_bytes());
        let mut pipe = redis::pipe();
        pipe.cmd("OBJECT").arg("IDLETIME").arg(&name);
        pipe.cmd("PTTL").arg(&name);
        let replies = self.client().pipeline_each(&pipe, Repeat::Safe).await?;
        let [idle, left] = <[_; 2]>::try_from(replies).map_err(|_| Error::UnexpectedReply)?;
        let lifetime = lifetime(&left?)?;
        if lifetime == Lifetime::Absent {
            return Ok(None);
        }
        let idle = idle.and_then(|seconds| wire::number(&seconds)).ok().map(Duration::from_secs);
        let (weight, age) = self.booked(key).await.unzip();
        Ok(Some(EntryInfo { weight, lifetime, idle, age: age.flatten() }))
    }

    /// Writes under a key as it stands on the server.
    async fn put_at(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Error> {
        let partition = self.partition_of(key);
        let ttl = match self.check(partition, key, &value, options.ttl)? {
            Ok(ttl) => ttl,
            Err(reason) => {
                if options.condition == PutCondition::Always {
                    self.delete_each(&[key]).await?;
                }
                return Ok(Put::Rejected(reason));
            }
        };
        self.await_room(partition).await?;
        let mut pipe = transaction();
        push_set(&mut pipe, partition, key, &value, ttl, options.condition);
        let put = put_record(key, &value, ttl);
        let record = match options.condition {
            PutCondition::Always => put,
            // Only the reply tells whether it took effect, so the manager has to look.
            _ => Record::Look { key: key.as_bytes() },
        };
        pipe.cmd("RPUSH").arg(partition.names.journal()).arg(record.encode());
        // A first attempt that comes late, after the reply to a second, would take the place of what came after that.
        let replies = self.client().pipeline(&pipe, Repeat::Never).await?;
        let [set, backlog] = &replies[..] else { return Err(Error::UnexpectedReply) };
        self.relieve(partition, wire::number(backlog)?, 1).await;
        Ok(if *set == Value::Nil { Put::Unmet } else { Put::Stored })
    }

    /// Deletes entries under keys as they stand on the server, and returns how many there were.
    async fn delete_each(&self, keys: &[&Key]) -> Result<u64, Error> {
        let mut deleted = 0;
        for (partition, places) in self.by_partition(keys.iter().copied()) {
            for places in places.chunks(DELETE_BATCH as usize) {
                let keys: Vec<&[u8]> = places.iter().map(|&at| keys[at].as_bytes()).collect();
                deleted += self.delete(partition, &keys).await?;
            }
        }
        Ok(deleted)
    }

    /// The one command that reads a value.
    fn read(&self, name: Vec<u8>) -> Cmd {
        match self.time_to_idle() {
            None => {
                let mut get = cmd("GET");
                get.arg(name);
                get
            }
            Some(idle) => {
                let mut getex = cmd("GETEX");
                getex.arg(name).arg("PX").arg(idle.as_millis() as u64);
                getex
            }
        }
    }

    async fn read_all(&self, names: Vec<Vec<u8>>) -> Result<Vec<Value>, Error> {
        let count = names.len();
        let values = if self.time_to_idle().is_none() {
            let mut mget = cmd("MGET");
            names.iter().for_each(|name| _ = mget.arg(name));
            match self.client().command(&mget, Repeat::Safe).await? {
                Value::Array(values) => values,
                _ => return Err(Error::UnexpectedReply),
            }
        } else {
            let mut pipe = redis::pipe();
            names.into_iter().for_each(|name| _ = pipe.add_command(self.read(name)));
            self.client().pipeline(&pipe, Repeat::Safe).await?
        };
        if values.len() == count { Ok(values) } else { Err(Error::UnexpectedReply) }
    }

    /// The places of keys in their list, by partition.
    fn by_partition<'a>(
        &self,
        keys: impl Iterator<Item = &'a Key>,
    ) -> Vec<(&Partition, Vec<usize>)> {
        let mut places = vec![Vec::new(); Self::partitions(self).len()];
        keys.enumerate().for_each(|(at, key)| places[self.index_of(key)].push(at));
        let groups = Self::partitions(self).iter().zip(places);
        groups.filter(|(_, places)| !places.is_empty()).collect()
    }

    /// How long a value is to live, or why it cannot be kept.
    fn check(
        &self,
        partition: &Partition,
        key: &Key,
        value: &Bytes,
        own: Option<Duration>,
    ) -> Result<Result<Option<Duration>, Rejection>, Error> {
        if value.len() > MOST_BYTES {
            return Err(Error::ValueTooLarge(value.len()));
        }
        let weight = Weight::of_len(key.as_bytes().len() + value.len()).bytes();
        let terms = self.terms();
        let max_bytes = terms.parts[partition.index].max_bytes();
        if let Some(max_bytes) = max_bytes.filter(|&max| u64::from(weight) > max) {
            return Ok(Err(Rejection::TooHeavy { weight, max_bytes }));
        }
        match self.time_to_idle() {
            Some(_) if own.is_some() => Err(Error::OwnTtlWithIdle),
            Some(idle) => Ok(Ok(Some(idle))),
            None => Ok(terms.agreement.config.time_to_live(own, fastrand::f64())),
        }
    }

    /// Deletes entries of a partition and returns how many there were.
    async fn delete(&self, partition: &Partition, keys: &[&[u8]]) -> Result<u64, Error> {
        let mut pipe = transaction();
        let unlink = pipe.cmd("UNLINK");
        keys.iter().for_each(|key| _ = unlink.arg(partition.names.entry(key)));
        let records: Vec<_> = keys.iter().map(|&key| Record::Deleted { key }.encode()).collect();
        // One that comes twice, or late, deletes more than was asked for, but brings nothing back.
        let sent = self.send_with_records(partition, pipe, &records, Repeat::Safe).await;
        let replies = match sent {
            Err(Error::OutOfMemory) => self.delete_untold(partition, keys).await?,
            replies => replies?,
        };
        wire::number(replies.first().ok_or(Error::UnexpectedReply)?)
    }

    /// Deletes entries although there is no memory for the records of it. Without them the manager
    /// finds out by itself, later.
    async fn delete_untold(
        &self,
        partition: &Partition,
        keys: &[&[u8]],
    ) -> Result<Vec<Value>, Error> {
        let mut pipe = redis::pipe();
        let unlink = pipe.cmd("UNLINK");
        keys.iter().for_each(|key| _ = unlink.arg(partition.names.entry(key)));
        self.client().pipeline(&pipe, Repeat::Safe).await
    }

    async fn send_with_records(
        &self,
        partition: &Partition,
        mut pipe: Pipeline,
        records: &[Vec<u8>],
        repeat: Repeat,
    ) -> Result<Vec<Value>, Error> {
        pipe.cmd("RPUSH").arg(partition.names.journal()).arg(records);
        let replies = self.client().pipeline(&pipe, repeat).await?;
        let backlog = replies.last().ok_or(Error::UnexpectedReply)?;
        self.relieve(partition, wire::number(backlog)?, records.len()).await;
        Ok(replies)
    }

    async fn clear_partition(&self, partition: &Partition) -> Result<(), Error> {
        let pattern = [partition.names.entries().as_bytes(), b"*"].concat();
        let routing = partition.names.accounts().as_bytes();
        let mut next = Some(ScanCursor::START);
        while let Some(cursor) = next {
            let page = self.client().scan(routing, cursor, &pattern, DELETE_BATCH).await;
            if page == Err(Error::ScanInterrupted) {
                next = Some(ScanCursor::START);
                continue;
            }
            let page = page?;
            let keys: Vec<_> =
                page.names.iter().filter_map(|name| partition.names.key_of(name)).collect();
            for keys in keys.chunks(DELETE_BATCH as usize) {
                self.delete(partition, keys).await?;
            }
            next = page.next;
        }
        Ok(())
    }

    /// Does about the backlog what a writer has to. A failure of it is not one of the write.
    async fn relieve(&self, partition: &Partition, backlog: u64, records: usize) {
        self.follow_soon();
        match partition.pressure.note(backlog, records) {
            Relief::None => {}
            Relief::Wait(time) => tokio::time::sleep(time).await,
            Relief::Drop => {
                let call = wire::overflow(&partition.names, self.journal_cap());
                let _ = self.client().command(&call, Repeat::Safe).await;
            }
        }
    }

    /// Waits until a write cannot push usage above the limit.
    async fn await_room(&self, partition: &Partition) -> Result<(), Error> {
        let began = Instant::now();
        while partition.pressure.is_at_ceiling() {
            if began.elapsed() > CEILING_PATIENCE {
                return Err(Error::NoRoom);
            }
            tokio::time::sleep(CEILING_INTERVAL).await;
            let mut llen = cmd("LLEN");
            llen.arg(partition.names.journal());
            let backlog = self.client().command(&llen, Repeat::Safe).await?;
            partition.pressure.note(wire::number(&backlog)?, 0);
        }
        Ok(())
    }
}

fn transaction() -> Pipeline {
    let mut pipe = redis::pipe();
    pipe.atomic();
    pipe
}

fn push_set(
    pipe: &mut Pipeline,
    partition: &Partition,
    key: &Key,
    value: &Bytes,
    ttl: Option<Duration>,
    condition: PutCondition,
) {
    let set = pipe.cmd("SET").arg(partition.names.entry(key.as_bytes())).arg(&value[..]);
    if let Some(ttl) = ttl {
        set.arg("PX").arg(ttl.as_millis() as u64);
    }
    match condition {
        PutCondition::Always => {}
        PutCondition::IfAbsent => _ = set.arg("NX"),
        PutCondition::IfPresent => _ = set.arg("XX"),
    }
}

fn put_record<'a>(key: &'a Key, value: &Bytes, ttl: Option<Duration>) -> Record<'a> {
    let ttl_ms = ttl.map(|ttl| ttl.as_millis() as u64);
    Record::Put { key: key.as_bytes(), bytes: Weight::of_len(value.len()).bytes(), ttl_ms }
}

/// What `PTTL` replies.
fn lifetime(left: &Value) -> Result<Lifetime, Error> {
    match left {
        Value::Int(-2) => Ok(Lifetime::Absent),
        Value::Int(-1) => Ok(Lifetime::Unlimited),
        left => Ok(Lifetime::Remaining(Duration::from_millis(wire::number(left)?))),
    }
}

fn bytes(value: Value) -> Result<Option<Bytes>, Error> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes.into())),
        Value::Nil => Ok(None),
        _ => Err(Error::UnexpectedReply),
    }
}
