//! A guarded store: what is denied never reaches it, and no method of the contract is forgotten.

use std::collections::BTreeSet;
use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use inval_core::access::{Guard, GuardError, Operation, Principal, Role};
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutOptions, ReconfigureError,
    RemovalListener, Slice, Stats, Store, Usage,
};
use thiserror::Error;

/// Writes down which of its methods are called, and fails.
#[derive(Default)]
struct Witness(Mutex<Vec<&'static str>>);

#[derive(PartialEq, Debug, Error)]
#[error("reached")]
struct Reached;

impl Witness {
    fn note(&self, method: &'static str) {
        self.0.lock().unwrap().push(method);
    }

    fn fail<T>(&self, method: &'static str) -> Result<T, Reached> {
        self.note(method);
        Err(Reached)
    }
}

impl Store for Witness {
    type Error = Reached;

    async fn get(&self, _: &Key) -> Result<Option<Bytes>, Reached> {
        self.fail("get")
    }

    async fn get_many(&self, _: &[Key]) -> Result<Vec<Option<Bytes>>, Reached> {
        self.fail("get_many")
    }

    async fn put(&self, _: &Key, _: Bytes, _: PutOptions) -> Result<Put, Reached> {
        self.fail("put")
    }

    async fn put_many(&self, _: &[(Key, Bytes)], _: Option<Duration>) -> Result<Vec<Put>, Reached> {
        self.fail("put_many")
    }

    async fn invalidate(&self, _: &[Key]) -> Result<u64, Reached> {
        self.fail("invalidate")
    }

    async fn contains(&self, _: &Key) -> Result<bool, Reached> {
        self.fail("contains")
    }

    async fn lifetime(&self, _: &Key) -> Result<Lifetime, Reached> {
        self.fail("lifetime")
    }

    async fn inspect(&self, _: &Key) -> Result<Option<EntryInfo>, Reached> {
        self.fail("inspect")
    }

    async fn page(&self, _: u32, _: Cursor, _: u32) -> Result<Page, Reached> {
        self.fail("page")
    }

    async fn clear(&self) -> Result<(), Reached> {
        self.fail("clear")
    }

    async fn usage(&self) -> Result<Usage, Reached> {
        self.fail("usage")
    }

    async fn stats(&self) -> Result<Stats, Reached> {
        self.fail("stats")
    }

    fn config(&self) -> Config {
        self.note("config");
        config()
    }

    async fn reconfigure(&self, _: &Config) -> Result<(), ReconfigureError<Reached>> {
        self.fail("reconfigure").map_err(ReconfigureError::Store)
    }

    fn aliases(&self, key: &Key) -> Vec<Key> {
        self.note("aliases");
        vec![key.clone()]
    }

    fn partitions(&self) -> u32 {
        self.note("partitions");
        1
    }

    async fn maintain(&self, _: u32, _: Budget) -> Result<Slice, Reached> {
        self.fail("maintain")
    }

    fn pressed(&self) -> impl Future<Output = u32> + Send {
        self.note("pressed");
        ready(0)
    }

    fn watch(&self, _: RemovalListener) {
        self.note("watch");
    }

    fn release(&self) -> impl Future<Output = Result<(), Reached>> + Send {
        ready(self.fail("release"))
    }
}

/// Each method of the contract and what it needs; nothing where whoever has a guard may call it.
const NEEDS: &[(&str, &[Operation])] = {
    use Operation::{Administer, Clear, Invalidate, Maintain, Read, Stats, Write};
    &[
        ("get", &[Read]),
        ("get_many", &[Read]),
        ("put", &[Write]),
        ("put_many", &[Write]),
        ("invalidate", &[Invalidate]),
        ("contains", &[Read]),
        ("lifetime", &[Read]),
        ("inspect", &[Read]),
        ("page", &[Administer]),
        ("clear", &[Clear]),
        ("usage", &[Stats]),
        ("stats", &[Stats]),
        ("config", &[]),
        ("reconfigure", &[Administer]),
        ("partitions", &[]),
        ("aliases", &[]),
        ("maintain", &[Maintain]),
        ("pressed", &[Maintain]),
        ("watch", &[Maintain, Read]),
        ("release", &[Maintain]),
    ]
};

/// Calls a method by its name; whether it said that this is denied, if it can say so.
fn call(guard: &Guard<Witness>, method: &str) -> Option<Operation> {
    let key = Key::new(b"k").unwrap();
    match method {
        "get" => denial(now(guard.get(&key))?),
        "get_many" => denial(now(guard.get_many(&[key]))?),
        "put" => denial(now(guard.put(&key, Bytes::new(), PutOptions::default()))?),
        "put_many" => denial(now(guard.put_many(&[], None))?),
        "invalidate" => denial(now(guard.invalidate(&[key]))?),
        "contains" => denial(now(guard.contains(&key))?),
        "lifetime" => denial(now(guard.lifetime(&key))?),
        "inspect" => denial(now(guard.inspect(&key))?),
        "page" => denial(now(guard.page(0, Cursor::START, 1))?),
        "clear" => denial(now(guard.clear())?),
        "usage" => denial(now(guard.usage())?),
        "stats" => denial(now(guard.stats())?),
        "maintain" => denial(now(guard.maintain(0, Budget::within(Duration::ZERO)))?),
        "release" => denial(now(guard.release())?),
        "reconfigure" => match now(guard.reconfigure(&config()))? {
            Err(ReconfigureError::Store(error)) => denial::<()>(Err(error)),
            _ => None,
        },
        "config" => {
            guard.config();
            None
        }
        "aliases" => {
            guard.aliases(&key);
            None
        }
        "partitions" => {
            guard.partitions();
            None
        }
        "pressed" => {
            now(guard.pressed());
            None
        }
        "watch" => {
            guard.watch(Arc::new(|_| {}));
            None
        }
        other => panic!("{other} is not called by this test"),
    }
}

fn denial<T>(outcome: Result<T, GuardError<Reached>>) -> Option<Operation> {
    match outcome {
        Err(GuardError::Denied(operation)) => Some(operation),
        _ => None,
    }
}

/// What a future comes to at once; `None` if it waits.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn config() -> Config {
    Config::builder().max_entries(1).build().unwrap()
}

fn guard(grants: &[String]) -> Option<(Guard<Witness>, Arc<Witness>)> {
    let grants = grants.iter().map(|grant| grant.parse().unwrap());
    let role = Role::new("r".parse().unwrap(), grants);
    let principal = Principal::new("p".parse().unwrap(), [role.into()]);
    let witness = Arc::new(Witness::default());
    let guard = Guard::new(Arc::clone(&witness), "users".parse().unwrap(), principal.into());
    guard.map(|guard| (guard, witness))
}

fn reached(witness: &Witness) -> Vec<&'static str> {
    std::mem::take(&mut *witness.0.lock().unwrap())
}

#[test]
fn what_is_denied_never_reaches_the_store() {
    for (method, needs) in NEEDS {
        for need in *needs {
            let deny = format!("deny {need} users");
            let (guard, witness) = guard(&["allow all users".to_owned(), deny]).unwrap();
            let denied = call(&guard, method);
            assert!(denied.is_none() || denied == Some(*need), "{method}: {denied:?}");
            assert_eq!(reached(&witness), [""; 0], "{method} without {need}");
        }
    }
}

#[test]
fn what_is_allowed_is_the_same_call_on_the_store() {
    for (method, needs) in NEEDS {
        let needs = if needs.is_empty() { &[Operation::Clear] } else { *needs };
        let grants: Vec<_> = needs.iter().map(|need| format!("allow {need} us*")).collect();
        let (guard, witness) = guard(&grants).unwrap();
        assert_eq!(call(&guard, method), None, "{method}");
        assert_eq!(reached(&witness), [*method]);
    }
}

#[test]
fn whoever_may_do_nothing_gets_no_guard() {
    assert!(guard(&[]).is_none());
    assert!(guard(&["allow all orders".to_owned()]).is_none());
    assert!(guard(&["allow all *".to_owned(), "deny all users".to_owned()]).is_none());
}

#[test]
fn a_denial_says_what_is_denied_and_nothing_more() {
    let (guard, _) = guard(&["allow read users".to_owned()]).unwrap();
    let error = now(guard.clear()).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "not allowed: clear");
}

#[test]
fn every_method_of_the_contract_is_here() {
    let contract = include_str!("../../src/store.rs");
    let start = contract.find("pub trait Store").unwrap();
    let contract = &contract[start..start + contract[start..].find("\n}").unwrap()];
    let methods = contract.lines().filter_map(|line| line.strip_prefix("    fn "));
    let methods: BTreeSet<&str> =
        methods.map(|method| method.split(['(', '<']).next().unwrap()).collect();
    assert_eq!(methods, NEEDS.iter().map(|(method, _)| *method).collect());
}
