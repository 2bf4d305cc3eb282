//! Fields that bound each other: which may not be above which.

use super::namespaces::Draft;
use super::settings::Settings;

/// `small` may not be above `large`, or a share of it.
pub(super) struct AtMost<S> {
    pub(super) small: &'static str,
    pub(super) large: &'static str,
    /// What of `large` counts, such as `half of `; empty for all of it.
    pub(super) share: &'static str,
    pub(super) holds: fn(&S) -> bool,
    /// Makes `small` as high as `large`.
    pub(super) lower: fn(&mut S),
}

macro_rules! at_most {
    ($($small:literal ($($low:ident).+)
        $large:literal ($($high:ident).+ $(/ $part:literal $share:literal)?);)+
    ) => {
        &[$(AtMost {
            small: $small,
            large: $large,
            share: concat!($($share)?),
            holds: |settings| settings.$($low).+ <= settings.$($high).+ $(/ $part)?,
            lower: |settings| settings.$($low).+ = settings.$($high).+ $(/ $part)?,
        }),+]
    };
}

/// For all settings. What bounds the large of a pair stands before the pair.
pub(super) const RULES: &[AtMost<Settings>] = at_most! {
    "manager.max_interval" (pacing.max_interval) "manager.max_lag" (pacing.max_lag / 2 "half of ");
    "manager.min_interval" (pacing.min_interval) "manager.max_interval" (pacing.max_interval);
    "manager.duty_cycle" (pacing.duty_cycle) "manager.urgent_duty_cycle" (pacing.urgent_duty_cycle);
    "manager.least_batch" (pacing.least_batch) "manager.most_batch" (pacing.most_batch);
    "manager.retry_interval" (pacing.retry_interval) "manager.longest_retry" (pacing.longest_retry);
    "redis.drain_interval" (redis.engine.drain_interval) "redis.idle_interval" (redis.engine.idle_interval);
    "redis.response_timeout" (redis.response_timeout) "redis.overall_timeout" (redis.overall_timeout);
};

/// For each namespace, in the same order.
pub(super) const NAMESPACE_RULES: &[AtMost<Draft>] = at_most! {
    "manager.max_interval" (pacing.max_interval) "manager.max_lag" (pacing.max_lag / 2 "half of ");
    "manager.min_interval" (pacing.min_interval) "manager.max_interval" (pacing.max_interval);
    "manager.least_batch" (pacing.least_batch) "manager.most_batch" (pacing.most_batch);
};
