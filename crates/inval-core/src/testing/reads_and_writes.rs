//! Checks on single and many reads and writes.

use bytes::Bytes;

use super::Harness;
use super::failure::{Outcome, expect, expect_all};
use super::trial::Trial;
use crate::config::Config;
use crate::ledger::Rejection;
use crate::store::Put;

pub(super) async fn what_was_put_is_read<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    trial.expect_nothing("in an empty store", "one").await?;
    trial.put("one", "1").await?;
    trial.expect_value("after a put", "one", "1").await?;
    trial.expect_nothing("under another key", "two").await?;
    trial.put("two", "2").await?;
    trial.expect_value("after another put", "one", "1").await?;
    trial.expect_value("after another put", "two", "2").await
}

pub(super) async fn a_put_overwrites<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    for value in ["old", "new", "", "a longer one", "x"] {
        trial.put("key", value).await?;
        trial.expect_value("after an overwrite", "key", value).await?;
    }
    Ok(())
}

pub(super) async fn many_are_read_in_the_order_asked<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    for key in ["a", "b", "c"] {
        trial.put(key, format!("value of {key}")).await?;
    }
    let asked = ["c", "none", "a", "c", "b", "none"];
    let is = |key: &str| Some(Bytes::from(format!("value of {key}")));
    let want = [is("c"), None, is("a"), is("c"), is("b"), None];
    expect_all("get_many with keys that repeat", &trial.get_many(&asked).await?, &want)?;
    expect("get_many of no keys", trial.get_many(&[""; 0]).await?, vec![])
}

pub(super) async fn of_many_writes_the_later_under_a_key_stays<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    trial.put("a", "older").await?;
    let entry = |key: &str, value: &str| (key.to_owned(), value.as_bytes().to_vec());
    let entries = [entry("a", "1"), entry("b", "2"), entry("a", "3"), entry("c", "4")];
    expect_all("put_many", &trial.put_many(&entries, None).await?, &[Put::Stored; 4])?;
    for (key, value) in [("a", "3"), ("b", "2"), ("c", "4")] {
        trial.expect_value("after put_many", key, value).await?;
    }
    expect("put_many of nothing", trial.put_many(&[], None).await?, vec![])
}

pub(super) async fn many_writes_are_judged_one_by_one<H: Harness>(harness: &H) -> Outcome {
    let limit = 4096 * harness.partitions();
    let trial = Trial::open(harness, Config::builder().max_bytes(limit.into())).await?;
    let light = |key: &str| (key.to_owned(), b"light".to_vec());
    let heavy = |key: &str| (key.to_owned(), vec![0; limit as usize]);
    trial.put("older", "older").await?;
    let entries =
        [light("a"), heavy("b"), light("c"), light("d"), heavy("d"), heavy("e"), light("e")];
    let came = trial.put_many(&[&entries[..], &[heavy("older")]].concat(), None).await?;
    let want = [true, false, true, true, false, false, true, false];
    let came: Vec<_> = came.into_iter().map(without_weight).collect();
    let want: Vec<_> = want.map(|is_light| if is_light { Put::Stored } else { TOO_HEAVY }).into();
    expect_all("put_many with heavy values", &came, &want)?;
    for key in ["a", "c", "e"] {
        trial.expect_value("after put_many with heavy values", key, "light").await?;
    }
    for key in ["b", "d", "older"] {
        trial.expect_nothing("where the last of many was too heavy", key).await?;
    }
    Ok(())
}

const TOO_HEAVY: Put = Put::Rejected(Rejection::TooHeavy { weight: 0, max_bytes: 0 });

fn without_weight(put: Put) -> Put {
    if matches!(put, Put::Rejected(Rejection::TooHeavy { .. })) { TOO_HEAVY } else { put }
}
