//! What has to hold when nothing goes on any more: the books are what is on the server.

use std::collections::BTreeMap;

use inval_core::Usage;
use inval_core::engine::Accounts;

use super::world::World;

/// The fields of the accounts for what is gone.
const GONE: [&str; 5] = ["expired", "evicted", "invalidated", "replaced", "vanished"];

impl World {
    /// Waits for the books to be true, which must not take longer than `ms`, and looks at everything.
    #[track_caller]
    pub(crate) fn settle(&mut self, ms: u64) {
        self.network.loses_once_in = 0;
        self.server.is_forking = false;
        let begin = self.now();
        while let Err(difference) = self.differs() {
            assert!(self.now() < begin + ms, "after {ms} ms: {difference}");
            self.run(20);
        }
        self.check_accounts();
    }

    /// What is not as it should be.
    fn differs(&self) -> Result<(), String> {
        let Some(manager) = self.steady() else { return Err("nobody manages".to_owned()) };
        if manager.config != self.config {
            return Err("the manager keeps to what was before".to_owned());
        }
        let server = &self.server;
        if !server.journal.is_empty() {
            return Err(format!("{} records wait", server.journal.len()));
        }
        let books: BTreeMap<&[u8], u64> =
            manager.engine.entries().map(|(key, weight)| (key, weight.into())).collect();
        for (key, value) in &server.values {
            let want = key.len() as u64 + value.bytes;
            match books.get(&key[..]) {
                None => return Err(format!("{key:?} is not on the books")),
                Some(weight) if *weight != want && !self.server.overwritten.contains(key) => {
                    return Err(format!("{key:?} weighs {want}, by the books {weight}"));
                }
                _ => {}
            }
        }
        if let Some(key) = books.keys().find(|key| !server.values.contains_key(**key)) {
            return Err(format!("{key:?} is on the books and not there"));
        }
        let (usage, excess) = manager.engine.usage();
        if excess != Usage::default() {
            return Err(format!("{excess:?} above the limits"));
        }
        let accounts = server.accounts.iter().map(|(field, value)| (field.as_str(), *value));
        let accounts = Accounts::from_fields(accounts).stats;
        if accounts != manager.engine.stats() {
            let stats = manager.engine.stats();
            return Err(format!("accounts are {accounts:?}, the manager has {stats:?}"));
        }
        let written = self.accounted("");
        let is_written = written == usage && manager.engine.stats().usage == usage;
        is_written.then_some(()).ok_or(format!("accounts say {written:?}, books {usage:?}"))
    }

    /// Entries and bytes of the accounts, by what their fields begin with.
    pub(crate) fn accounted(&self, what: &str) -> Usage {
        let field = |unit: &str| match what {
            "" => self.server.account(unit),
            what => self.server.account(&format!("{what}_{unit}")),
        };
        Usage { entries: field("entries"), bytes: field("bytes") }
    }

    #[track_caller]
    fn check_accounts(&self) {
        let mut sum = self.accounted("");
        for cause in GONE {
            sum += self.accounted(cause);
        }
        assert_eq!(self.accounted("inserted"), sum, "inserted = usage + what is gone");
        let within = |limit: Option<u64>, used: u64| limit.is_none_or(|limit| used <= limit);
        // A value that was overwritten without a word may weigh more than the books say.
        let usage = self.server.usage();
        assert!(within(self.config.max_entries(), usage.entries));
        assert!(
            !self.server.overwritten.is_empty() || within(self.config.max_bytes(), usage.bytes)
        );
    }

    /// Where nothing was lost and everybody told, the accounts are what has truly happened; of what
    /// happened while `unsure` entries were about to expire, only the sum is.
    #[track_caller]
    pub(crate) fn check_truth(&self, unsure: u64) {
        let truth = &self.server.truth;
        assert_eq!(self.accounted("inserted"), truth.written);
        let gone = |cause: &str| self.accounted(cause).entries;
        let check = |cause: &str, want: u64, error: u64| {
            let got = gone(cause);
            assert!(got.abs_diff(want) <= error, "{cause}: {got}, in truth {want}, +-{error}");
        };
        check("evicted", truth.evicted, truth.evicted_untold);
        check("invalidated", truth.invalidated, unsure + truth.evicted_untold);
        check("replaced", truth.replaced, unsure + truth.evicted_untold);
        check("expired", truth.expired, unsure + truth.evicted_untold);
        check("vanished", 0, unsure);
    }
}
