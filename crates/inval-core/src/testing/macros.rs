//! The list of all checks, and the tests that come of it.

/// Makes a `#[test]` of every check of [`testing`](crate::testing). The function named is called with the
/// name of the check, and panics if it fails:
///
/// ```ignore
/// fn pass(check: &str) {
///     block_on(inval_core::testing::run_check(check, &MyHarness::new())).unwrap();
/// }
///
/// inval_core::conformance_tests!(pass);
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($run:path) => {
        $crate::conformance_tests!(@each tests $run);
    };
    (@each $what:ident $($with:tt)*) => {
        $crate::conformance_tests! {
            @$what [$($with)*]
            reads_and_writes::what_was_put_is_read
            reads_and_writes::a_put_overwrites
            reads_and_writes::many_are_read_in_the_order_asked
            reads_and_writes::of_many_writes_the_later_under_a_key_stays
            reads_and_writes::many_writes_are_judged_one_by_one
            keys::keys_and_values_may_be_any_bytes
            keys::keys_that_begin_alike_are_different
            keys::the_longest_key_and_a_large_value_are_kept
            conditions::if_absent_writes_only_where_nothing_is
            conditions::if_present_writes_only_over_something
            conditions::what_has_expired_is_absent_to_a_condition
            conditions::a_rejected_conditional_write_changes_nothing
            removals::invalidate_counts_what_was_there
            removals::what_has_expired_is_not_there_to_invalidate
            removals::clear_leaves_nothing
            lifetimes::what_has_expired_is_never_read
            lifetimes::the_configured_ttl_is_for_entries_without_their_own
            lifetimes::lifetimes_are_told_as_they_are
            lifetimes::a_ttl_beyond_the_longest_is_none
            lifetimes::a_ttl_below_a_millisecond_is_rejected
            lifetimes::an_overwrite_brings_its_own_ttl
            lifetimes::jitter_only_shortens_a_ttl
            upkeep::upkeep_takes_off_the_books_what_has_expired
            upkeep::upkeep_keeps_up_when_called_as_it_asks
            upkeep::upkeep_tells_how_late_it_comes
            upkeep::upkeep_keeps_to_a_budget_in_entries
            idleness::a_read_starts_the_time_to_idle_anew
            idleness::a_look_does_not_start_the_time_to_idle_anew
            idleness::no_read_moves_a_ttl
            inspecting::what_is_known_of_an_entry_is_told
            inspecting::use_and_age_of_an_entry_are_told_as_they_are
            accounts::usage_is_the_sum_of_keys_and_values
            accounts::every_read_is_a_hit_or_a_miss
            accounts::causes_of_removal_are_not_mixed
            limits::the_limit_in_entries_is_kept
            limits::the_limit_in_bytes_is_kept
            limits::both_limits_are_kept_at_once
            limits::a_value_above_the_limit_is_rejected_and_the_older_one_gone
            room::overwriting_at_the_limit_evicts_nothing
            room::what_has_expired_displaces_nothing_alive
            order::fifo_evicts_what_was_written_first
            order::lru_keeps_what_was_read
            order::lru_does_not_keep_what_was_looked_at
            order::ttl_evicts_what_expires_soonest
            concurrency::writes_at_the_same_time_are_all_there
            concurrency::of_writes_if_absent_at_the_same_time_one_is_stored
            concurrency::an_entry_is_invalidated_once
            reconfiguring::a_raised_limit_lets_more_in
            reconfiguring::a_lowered_limit_is_reached_and_not_passed
            reconfiguring::writes_go_on_while_a_lowered_limit_is_reached
            reconfiguring::what_cannot_change_is_refused_and_nothing_changes
            reconfiguring::a_changed_ttl_is_for_what_is_written_from_then_on
            watching::every_removal_is_told_once_with_its_cause
            watching::the_last_to_watch_is_told_instead_of_those_before
            walking::a_walk_sees_every_entry
            walking::a_walk_shows_nothing_that_is_gone
            walking::a_walk_counts_as_no_access
            walking::a_page_is_about_as_large_as_asked
            walking::a_foreign_cursor_does_no_harm
        }
    };
    (@tests [$run:path] $($module:ident::$check:ident)*) => {
        $(
            #[test]
            fn $check() {
                $run(stringify!($check));
            }
        )*
    };
    (@names [] $($module:ident::$check:ident)*) => {
        &[$(stringify!($check)),*]
    };
    (@run [$name:ident $harness:ident] $($module:ident::$check:ident)*) => {
        match $name {
            $(stringify!($check) => $module::$check($harness).await,)*
            _ => Err(Complaint::Unknown),
        }
    };
}
