//! Whatever bytes names are made of, no two things share a name on the server, and no pattern reaches into others' names.
#![no_main]

use inval_core::digest::{KeyDigester, KeySecret};
use inval_core::keyspace::Keyspace;
use inval_core::{Key, Namespace};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, PartialEq, Debug)]
struct Place {
    namespace: String,
    partition: u16,
    key: Vec<u8>,
}

impl Place {
    fn read(&self) -> Option<(Namespace, Keyspace, Key)> {
        let namespace: Namespace = self.namespace.parse().ok()?;
        let names = Keyspace::new(&namespace, self.partition.into());
        Some((namespace, names, Key::new(&self.key).ok()?))
    }
}

fuzz_target!(|input: (Place, Place, [u8; 32], Vec<u8>)| {
    let (one, other, secret, bytes) = input;
    let _ = Keyspace::namespace_of(&bytes);
    let Some((namespace, names, key)) = one.read() else { return };
    let entry = names.entry(key.as_bytes());
    assert_eq!(names.key_of(&entry), Some(key.as_bytes()));
    assert_eq!(
        Keyspace::namespace_of(Keyspace::config(&namespace).as_bytes()),
        Some(namespace.clone())
    );
    assert!(matches(names.entries(), &entry));
    // What is not one of its entries' names gives no key, and what gives one is.
    if let Some(key) = names.key_of(&bytes) {
        assert_eq!(names.entry(key), bytes);
        assert!(matches(names.entries(), &bytes));
    }
    let all = all_names(&namespace, &names, &entry);
    all.iter().enumerate().for_each(|(at, name)| assert!(!all[..at].contains(name)));
    assert!(all[1..].iter().all(|name| names.key_of(name).is_none()));

    let digester = KeyDigester::new(&KeySecret::new(secret), &namespace);
    let digest = digester.digest(&key);
    assert!(digest.as_bytes().len() == 32 && digest.as_bytes().iter().all(u8::is_ascii_hexdigit));

    let Some((other_namespace, other_names, other_key)) = other.read() else { return };
    let is_same_part = (&one.namespace, one.partition) == (&other.namespace, other.partition);
    let other_entry = other_names.entry(other_key.as_bytes());
    assert_eq!(entry == other_entry, one == other);
    assert_eq!(names.key_of(&other_entry).is_some(), is_same_part);
    assert_eq!(matches(names.entries(), &other_entry), is_same_part);
    for name in all_names(&other_namespace, &other_names, &other_entry).iter().skip(1) {
        assert!(*name != entry && names.key_of(name).is_none() && !matches(names.entries(), name));
    }
    let other_digester = KeyDigester::new(&KeySecret::new(secret), &other_namespace);
    let is_same = namespace == other_namespace;
    assert_eq!(digester.fingerprint() == other_digester.fingerprint(), is_same);
    assert_eq!(digest == other_digester.digest(&other_key), is_same && key == other_key);
});

/// The names of an entry and of everything else in its partition.
fn all_names(namespace: &Namespace, names: &Keyspace, entry: &[u8]) -> [Vec<u8>; 6] {
    let text = |name: &str| name.as_bytes().to_vec();
    [
        entry.to_vec(),
        text(names.journal()),
        text(names.accesses()),
        text(names.lease()),
        text(names.accounts()),
        text(&Keyspace::config(namespace)),
    ]
}

/// Whether the pattern of a scan for entries, the prefix and a star, matches as a server does it: nothing in the prefix
/// is special.
fn matches(prefix: &str, name: &[u8]) -> bool {
    assert!(!prefix.contains(['*', '?', '[', ']', '\\', '^']));
    name.starts_with(prefix.as_bytes())
}
