//! The analysis of a namespace: page after page, with pauses between them, so that it takes its share and no more.

mod running;

use std::time::Duration;

use inval_core::analysis::{Analysis, AnalysisError, AnalysisSettings};
use inval_core::{Cursor, Page, Store};
use thiserror::Error;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

pub(crate) use running::Slot;
pub use running::{AnalysisState, RunningAnalysis};

/// How often the walk over a partition may begin anew.
const MOST_RESTARTS: u32 = 8;
/// The longest pause after a page.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How a namespace is analysed.
#[derive(Clone, PartialEq, Debug)]
pub struct AnalysisOptions {
    /// What is told.
    pub settings: AnalysisSettings,
    /// About how many entries are looked at at once, 1 to 10,000.
    pub page_size: u32,
    /// The share of its time, above 0 and at most 1, for which the server may be held, besides what upkeep takes.
    pub duty_cycle: f64,
}

impl Default for AnalysisOptions {
    fn default() -> Self {
        Self { settings: AnalysisSettings::default(), page_size: 500, duty_cycle: 0.02 }
    }
}

/// Why a namespace is not analysed like this.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum AnalysisOptionsError {
    /// What is to be told is not possible.
    #[error(transparent)]
    Settings(#[from] AnalysisError),
    /// The size of pages is out of its range.
    #[error("page_size must be from 1 to {most}", most = AnalysisOptions::LARGEST_PAGE)]
    PageSize,
    /// The share is out of its range.
    #[error("duty_cycle is a share of the server's time, above 0 and at most 1")]
    DutyCycle,
}

impl AnalysisOptions {
    /// The most entries of a page.
    pub const LARGEST_PAGE: u32 = 10_000;

    /// Finds the first thing that is not possible.
    pub fn validate(&self) -> Result<(), AnalysisOptionsError> {
        self.settings.validate()?;
        if !(1..=Self::LARGEST_PAGE).contains(&self.page_size) {
            return Err(AnalysisOptionsError::PageSize);
        }
        let is_share = self.duty_cycle > 0.0 && self.duty_cycle <= 1.0;
        is_share.then_some(()).ok_or(AnalysisOptionsError::DutyCycle)
    }

    /// How long a page and the pause after it have to take together.
    fn turn(&self, held: Duration) -> Duration {
        let turn = Duration::try_from_secs_f64(held.as_secs_f64() / self.duty_cycle);
        turn.unwrap_or(Duration::MAX).min(LONGEST_PAUSE + held)
    }
}

/// How far an analysis has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Entries seen so far. Where a walk began anew, less than before.
    pub entries: u64,
    /// Entries that were booked when it began.
    pub booked: u64,
    /// Pages read so far.
    pub pages: u64,
}

/// An analysis that came to its end, and what it took.
#[derive(Clone, Debug)]
pub struct Analysed {
    /// What was found.
    pub analysis: Analysis,
    /// Entries that were booked when it began.
    pub booked: u64,
    /// How many pages there were.
    pub pages: u64,
    /// How long it took, pauses included.
    pub took: Duration,
    /// For how long of that it held the server.
    pub held: Duration,
}

impl Analysed {
    /// How far it had got.
    pub fn progress(&self) -> Progress {
        let Self { booked, pages, .. } = *self;
        Progress { entries: self.analysis.seen().entries, booked, pages }
    }

    /// The share of the server's time for which it held it.
    pub fn share(&self) -> f64 {
        let took = self.took.as_secs_f64();
        if took > 0.0 { self.held.as_secs_f64() / took } else { 0.0 }
    }
}

/// Why an analysis did not come to its end.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum AnalyseError<E> {
    /// It cannot be done like this.
    #[error(transparent)]
    Options(#[from] AnalysisOptionsError),
    /// The manager or the server of a partition changed so often that no walk over it came to an end.
    #[error("the namespace moves between managers or servers too often; analyse it when it rests")]
    Unsettled,
    /// The store failed.
    #[error(transparent)]
    Store(E),
}

/// Walks over all partitions of a store, telling `progress` how far it has got after each page. Dropping the
/// future ends it at once. After a page it pauses until the page has held the server for no more than the
/// duty cycle of the time since it began.
pub async fn analyse<S: Store>(
    store: &S,
    options: &AnalysisOptions,
    progress: impl Fn(Progress),
) -> Result<Analysed, AnalyseError<S::Error>> {
    options.validate()?;
    let analysis = Analysis::new(options.settings.clone()).map_err(AnalysisOptionsError::from)?;
    let began = Instant::now();
    let booked = store.usage().await.map_err(AnalyseError::Store)?.entries;
    let (took, held) = (Duration::ZERO, Duration::ZERO);
    let analysed = Analysed { analysis, booked, pages: 0, took, held };
    let mut walk = Walk { store, options, analysed, progress };
    (walk.progress)(walk.analysed.progress());
    for partition in 0..store.partitions() {
        walk.over(partition).await?;
    }
    Ok(Analysed { took: began.elapsed(), ..walk.analysed })
}

/// A walk under way.
struct Walk<'a, S, P> {
    store: &'a S,
    options: &'a AnalysisOptions,
    analysed: Analysed,
    progress: P,
}

impl<S: Store, P: Fn(Progress)> Walk<'_, S, P> {
    async fn over(&mut self, partition: u32) -> Result<(), AnalyseError<S::Error>> {
        let before = self.analysed.analysis.clone();
        let (mut next, mut restarts) = (Some(Cursor::START), 0);
        while let Some(cursor) = next {
            let began = Instant::now();
            let page = self.store.page(partition, cursor, self.options.page_size).await;
            let page = page.map_err(AnalyseError::Store)?;
            if page.begins_anew {
                restarts += 1;
                self.analysed.analysis = before.clone();
            }
            if restarts > MOST_RESTARTS {
                return Err(AnalyseError::Unsettled);
            }
            self.take(&page);
            next = page.next;
            sleep_until(began + self.options.turn(page.held)).await;
            yield_now().await;
        }
        Ok(())
    }

    fn take(&mut self, page: &Page) {
        let analysed = &mut self.analysed;
        analysed.analysis.note_page(page);
        analysed.pages += 1;
        analysed.held = analysed.held.saturating_add(page.held);
        let progress = analysed.progress();
        (self.progress)(progress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_possible_is_refused() {
        let check = |change: fn(&mut AnalysisOptions), want: Result<(), AnalysisOptionsError>| {
            let mut options = AnalysisOptions::default();
            change(&mut options);
            assert_eq!(options.validate(), want, "{options:?}");
        };
        check(|_| {}, Ok(()));
        check(|o| o.page_size = 0, Err(AnalysisOptionsError::PageSize));
        check(|o| o.page_size = 10_001, Err(AnalysisOptionsError::PageSize));
        check(|o| o.duty_cycle = 0.0, Err(AnalysisOptionsError::DutyCycle));
        check(|o| o.duty_cycle = 1.1, Err(AnalysisOptionsError::DutyCycle));
        check(|o| o.duty_cycle = f64::NAN, Err(AnalysisOptionsError::DutyCycle));
        let out_of_range = AnalysisError::OutOfRange { field: "depth", least: 1, most: 8 };
        check(|o| o.settings.depth = 0, Err(out_of_range.into()));
    }

    #[test]
    fn a_turn_is_as_long_as_the_share_wants_and_never_endless() {
        let check = |duty_cycle, held_ms, want: Duration| {
            let options = AnalysisOptions { duty_cycle, ..AnalysisOptions::default() };
            assert_eq!(options.turn(Duration::from_millis(held_ms)), want);
        };
        check(0.02, 2, Duration::from_millis(100));
        check(0.5, 30, Duration::from_millis(60));
        check(1.0, 7, Duration::from_millis(7));
        check(0.02, 0, Duration::ZERO);
        check(f64::MIN_POSITIVE, 1000, Duration::from_secs(61));
    }
}
