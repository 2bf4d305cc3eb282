//! Making the books from what is on the server, page by page, while the journal is served.

use super::{Engine, Journal, Phase, Reason};
use crate::ledger::Ledger;
use crate::stats::Usage;

/// A rebuild under way.
#[derive(Debug, Default)]
pub(super) struct Rebuild {
    /// Where the scan goes on.
    cursor: u64,
    /// Where the journal ended when the rebuild began. What it tells up to there may have been undone
    /// since by an eviction that no record tells of, so it has to be looked at.
    from: Option<u64>,
    is_scanned: bool,
    /// What looks have found that was not on the books.
    pub(super) found: Usage,
}

impl Rebuild {
    /// The page to be scanned next; `None` after the last, and before the end of the journal is known.
    pub(super) fn next_page(&self) -> Option<u64> {
        self.from.filter(|_| !self.is_scanned).map(|_| self.cursor)
    }

    /// Notes where the journal ends, if that was not known.
    pub(super) fn begin(&mut self, at_end: u64) {
        self.from.get_or_insert(at_end);
    }

    /// Whether the record at `position` is older than the rebuild.
    pub(super) fn is_older(&self, position: u64) -> bool {
        self.from.is_none_or(|from| position < from)
    }
}

impl Engine {
    /// Begins a rebuild with empty books. The journal stands at `position` of `generation`; it is read
    /// from its beginning, for what it says twice does no harm.
    pub(super) fn rebuild(&mut self, generation: u64, position: u64) {
        self.journal = Journal::at(generation, position);
        self.forget_books();
        self.scrub.restart(self.now.saturating_add(self.settings.scrub_interval));
        self.phase = Phase::Rebuilding(Rebuild::default());
    }

    pub(super) fn forget_books(&mut self) {
        self.ledger = Ledger::new(&self.config);
        self.books += 1;
        self.looks.clear();
        self.findings.clear();
        self.unlinked.clear();
        self.doubts.clear();
    }

    /// Takes what a scan has found.
    pub(super) fn scanned(&mut self, cursor: u64, keys: Vec<Box<[u8]>>) {
        match &mut self.phase {
            Phase::Rebuilding(rebuild) => {
                (rebuild.cursor, rebuild.is_scanned) = (cursor, cursor == 0);
                self.looks.extend(keys.into_iter().map(|key| (key, Reason::Rebuild)));
            }
            Phase::Steady => self.scrub_scanned(cursor, keys),
            Phase::Vacant => {}
        }
    }

    /// Ends the rebuild when everything has been looked at and the journal has been read to its end.
    pub(super) fn end_rebuild_if_done(&mut self) {
        let Phase::Rebuilding(rebuild) = &self.phase else { return };
        if rebuild.is_scanned && self.looks.is_empty() && self.journal.backlog == 0 {
            self.carried.settle(rebuild.found);
            self.ledger.order_by_access();
            // Until then there may have been more on the books than there was.
            self.ledger.restart_peak();
            self.doubts.rebuilt(self.now);
            self.phase = Phase::Steady;
        }
    }
}
