//! Waits until a condition holds, and fails when it has not within twenty seconds.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::time::{Duration, Instant};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until the answer is yes; `what` says in the failure what was waited for.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    find(what, async || holds().await.then_some(())).await;
}

/// Asks until there is an answer, and returns it.
pub(crate) async fn find<T>(what: &str, mut answer: impl AsyncFnMut() -> Option<T>) -> T {
    settle(what, async || answer().await.ok_or_else(String::new)).await
}

/// Asks until all is as it should be; the last complaint is in the failure.
pub(crate) async fn settle<T>(what: &str, mut answer: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match answer().await {
            Ok(answer) => return answer,
            Err(complaint) => {
                assert!(Instant::now() < deadline, "it never came true that {what}; {complaint}");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
