//! When the manager cannot tell whether entries are in use: after a look, and where the server's clock was set.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::clock::TimeVerdict;
use crate::slab::Id;
use crate::units::Timestamp;

/// How long a look leaves doubt, by our clock. A look counts as an access, and a read in the same second of the server's
/// idle clock does not show; it is a second old when that second and the one after it are over, by a clock that lags by
/// 200 ms.
const BLIND: Duration = Duration::from_millis(2_200);
/// Of so many entries is remembered at the most that they were just looked at.
const MOST_LOOKED: usize = 4096;
/// By how much a server's clock has to be set that this shows in seconds.
const SET_US: u64 = 500_000;
/// For how long what is known of accesses may be by the clock as it was before it was set.
const UNSETTLED: Duration = Duration::from_secs(10);

/// What is in doubt, and until when by our clock.
pub(super) struct Doubts {
    looked_at: HashMap<Id, Timestamp, FixedState>,
    /// Until when all entries are.
    all: Timestamp,
    /// Whether the looks of the rebuild under way leave doubt.
    is_rebuild: bool,
    /// Whether the last reply bore the server's time out as we know it.
    is_time_sure: bool,
    /// When it last did, by the estimate of the server's clock.
    agreed: Timestamp,
    /// When the server's clock was set back last, by that estimate, or somewhat before; 0 if it was not.
    set_back_at: Timestamp,
    /// Whether that was just noticed.
    is_set_back: bool,
    /// Until when, by our clock, it counts as newly set, ahead or back.
    unsettled: Timestamp,
}

impl Doubts {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            looked_at: HashMap::with_hasher(FixedState::with_seed(seed)),
            all: Timestamp::default(),
            is_rebuild: false,
            is_time_sure: true,
            agreed: Timestamp::default(),
            set_back_at: Timestamp::default(),
            is_set_back: false,
            unsettled: Timestamp::default(),
        }
    }

    /// Notes that an entry was looked at, if it is not one of very many.
    pub(super) fn look(&mut self, id: Id, now: Timestamp) {
        if self.looked_at.len() < MOST_LOOKED {
            self.looked_at.insert(id, now.saturating_add(BLIND));
        }
    }

    /// Notes that an entry was written, or is another.
    pub(super) fn forget(&mut self, id: Id) {
        self.looked_at.remove(&id);
    }

    /// Notes that there are no entries any more.
    pub(super) fn clear(&mut self) {
        self.looked_at.clear();
    }

    /// Drops what is over by `now`.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.looked_at.retain(|_, until| *until > now);
    }

    pub(super) fn is_looked_at(&self, id: Id) -> bool {
        self.looked_at.contains_key(&id)
    }

    /// Has the looks of the next rebuild, or of that under way, leave doubt.
    pub(super) fn mistrust_rebuild(&mut self) {
        self.is_rebuild = true;
    }

    /// Notes that a rebuild has ended.
    pub(super) fn rebuilt(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.is_rebuild) {
            self.all = now.saturating_add(BLIND);
        }
    }

    /// Whether reads that came after the last rebuild show.
    pub(super) fn shows_reads(&self, now: Timestamp) -> bool {
        now >= self.all
    }

    /// Notes what a reply says of the server's clock, which is `server_now` by our estimate.
    pub(super) fn note_clock(
        &mut self,
        verdict: TimeVerdict,
        server_now: Timestamp,
        now: Timestamp,
    ) {
        if let TimeVerdict::Stepped { by_us } = verdict
            && by_us.unsigned_abs() >= SET_US
        {
            self.unsettled = now.saturating_add(UNSETTLED);
            if by_us < 0 {
                self.set_back_at = self.agreed;
                self.is_set_back = true;
            }
        }
        self.is_time_sure = matches!(verdict, TimeVerdict::Agrees | TimeVerdict::Stepped { .. });
        if self.is_time_sure {
            self.agreed = server_now;
        }
    }

    /// Notes that an entry was spared. Where the clock was set, all may be spared within a second, so that its turn comes
    /// again before a read of it shows.
    pub(super) fn spare(&mut self, id: Id, now: Timestamp) {
        if self.is_unsettled(now) {
            self.look(id, now);
        }
    }

    /// Whether the server's clock was set a short while ago.
    pub(super) fn is_unsettled(&self, now: Timestamp) -> bool {
        now < self.unsettled
    }

    /// Whether what the server's clock shows is known.
    pub(super) fn is_time_sure(&self) -> bool {
        self.is_time_sure
    }

    /// Whether the server's clock was set back since this was last asked, so far that it shows in idle times.
    pub(super) fn take_set_back(&mut self) -> bool {
        std::mem::take(&mut self.is_set_back)
    }

    /// Whether what was before `time` by the estimate of the server's clock by `idle_ms` was before that was set back.
    pub(super) fn predates_set_back(&self, time: Timestamp, idle_ms: u64) -> bool {
        let since_ms = time.as_millis().saturating_sub(self.set_back_at.as_millis());
        self.set_back_at > Timestamp::default() && idle_ms > since_ms
    }
}
