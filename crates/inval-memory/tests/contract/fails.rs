//! The suite notices every fault, by the check that is there for it.

use std::collections::BTreeSet;

use inval_core::testing::{CHECKS, Complaint, Failure, run, run_check};

use super::broken::BrokenMemory;
use super::faults::{Fault, NOTICED};
use crate::support::tasks::Task;

fn outcome(fault: Fault, check: &str) -> Result<(), Failure> {
    Task::new(run_check(check, &BrokenMemory::new(fault))).run()
}

#[test]
fn a_store_without_a_fault_passes() {
    assert!(Task::new(run(&BrokenMemory::new(Fault::None))).run().is_ok());
}

#[test]
fn every_fault_is_noticed_by_the_check_for_it() {
    for (fault, checks) in NOTICED {
        for check in *checks {
            let failure = outcome(*fault, check).expect_err(&format!("{fault:?} in {check}"));
            eprintln!("{fault:?}: {failure}");
            assert_eq!(failure.check, *check);
        }
        assert!(Task::new(run(&BrokenMemory::new(*fault))).run().is_err(), "{fault:?}");
    }
}

#[test]
fn every_check_has_a_fault_that_it_notices() {
    let noticing: BTreeSet<_> = NOTICED.iter().flat_map(|(_, checks)| *checks).collect();
    assert_eq!(CHECKS.iter().collect::<BTreeSet<_>>(), noticing);
}

#[test]
fn an_error_of_the_store_and_an_unknown_check_are_failures() {
    let complaint = |fault, check| outcome(fault, check).unwrap_err().complaint;
    assert!(matches!(complaint(Fault::FailsToRead, CHECKS[0]), Complaint::Failed(_)));
    assert!(matches!(complaint(Fault::None, "no such check"), Complaint::Unknown));
}
