//! How many requests there were of each operation, how they ended, and how long they took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use inval_core::Histogram;
use inval_metrics::OperationReading;

use super::routes::Operation;

/// The classes of status codes, by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was requested since the daemon began to serve.
pub(super) struct Traffic(Box<[Ended]>);

#[derive(Default)]
struct Ended {
    by_class: [AtomicU64; CLASSES.len()],
    /// How long answers took, in microseconds.
    took: Mutex<Histogram>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self(Operation::ALL.iter().map(|_| Ended::default()).collect())
    }
}

impl Traffic {
    /// Notes an answer that took so long.
    pub(super) fn note(&self, operation: Operation, status: StatusCode, took: Duration) {
        let Some(ended) = self.0.get(operation as usize) else { return };
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        ended.by_class[class].fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        ended.took.lock().unwrap_or_else(PoisonError::into_inner).record(took);
    }

    /// Those operations that were requested.
    pub(super) fn read(&self) -> Vec<OperationReading> {
        let read = |(&operation, ended): (&Operation, &Ended)| {
            let counts = ended.by_class.iter().map(|count| count.load(Ordering::Relaxed));
            let answers: Vec<_> =
                CLASSES.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
            let duration = ended.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let operation = operation.name();
            (!answers.is_empty()).then_some(OperationReading { operation, answers, duration })
        };
        Operation::ALL.iter().zip(&self.0).filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation_and_class_and_timed() {
        let traffic = Traffic::default();
        let ms = Duration::from_millis;
        traffic.note(Operation::GetEntry, StatusCode::OK, ms(1));
        traffic.note(Operation::GetEntry, StatusCode::NOT_FOUND, ms(2));
        traffic.note(Operation::GetEntry, StatusCode::NO_CONTENT, ms(3));
        traffic.note(Operation::Ready, StatusCode::SERVICE_UNAVAILABLE, ms(4));
        let read = traffic.read();
        let [get, ready] = &read[..] else { panic!("{}", read.len()) };
        assert_eq!((get.operation, ready.operation), ("get_entry", "ready"));
        assert_eq!(get.answers, [("2xx", 2), ("4xx", 1)]);
        assert_eq!((get.duration.count(), get.duration.sum()), (3, 6_000));
        assert_eq!(ready.answers, [("5xx", 1)]);
    }

    #[test]
    fn every_operation_has_its_place() {
        let places = Operation::ALL.iter().map(|operation| *operation as usize);
        assert!(places.eq(0..Operation::ALL.len()));
    }
}
