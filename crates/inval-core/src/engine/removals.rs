//! What left the books, for whoever wants to be told.

use super::Engine;
use crate::ledger::Removed;

/// An entry that left the books, with its mark.
type Gone = Removed<Box<[u8]>, u32>;

impl Engine {
    /// Collects from now on what leaves the books, for [`take_removals`](Self::take_removals).
    pub fn collect_removals(&mut self) {
        self.removals.get_or_insert_default();
    }

    /// What has left the books since this was last asked. What a rebuild does not find again is not among it:
    /// which entries those were is not known.
    pub fn take_removals(&mut self) -> Vec<Removed<Box<[u8]>, u32>> {
        self.removals.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn note_removal(&mut self, gone: Option<&Gone>) {
        if let Some(removals) = &mut self.removals {
            removals.extend(gone.cloned());
        }
    }
}
