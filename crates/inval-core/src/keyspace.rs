//! The names of everything inval keeps on a server, and which partition a key belongs to.

use crate::units::{Key, Namespace};

/// What the names of all configurations match, as a glob pattern; names of entries may match it as well.
pub const CONFIGS: &str = "inval:{*}:config";

/// The names of one partition's keys on the server. No namespace and no key can reach outside them:
/// the prefix has no free part, and nothing follows the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyspace {
    entries: String,
    journal: String,
    accesses: String,
    lease: String,
    accounts: String,
}

impl Keyspace {
    /// The names of partition `partition` of a namespace.
    pub fn new(namespace: &Namespace, partition: u32) -> Self {
        Self::pattern(namespace.as_str(), &partition.to_string())
    }

    /// Glob patterns that such names match, from one of namespaces and one of numbers of partitions. What is
    /// a wildcard there is one here, and may match what follows in the name of an entry as well.
    pub fn pattern(namespace: &str, partition: &str) -> Self {
        let name = |suffix: &str| format!("inval:{{{namespace}:{partition}}}:{suffix}");
        Self {
            entries: name("k:"),
            journal: name("j"),
            accesses: name("a"),
            lease: name("lease"),
            accounts: name("s"),
        }
    }

    /// The name of a namespace's configuration.
    pub fn config(namespace: &Namespace) -> String {
        Self::config_pattern(namespace.as_str())
    }

    /// A glob pattern that the names of the configurations match whose namespaces match `namespace`.
    pub fn config_pattern(namespace: &str) -> String {
        format!("inval:{{{namespace}}}:config")
    }

    /// The namespace whose configuration has this name; `None` if it is no configuration's.
    pub fn namespace_of(config: &[u8]) -> Option<Namespace> {
        let name = config.strip_prefix(b"inval:{")?.strip_suffix(b"}:config")?;
        std::str::from_utf8(name).ok()?.parse().ok()
    }

    /// Where the value of `key` is kept.
    pub fn entry(&self, key: &[u8]) -> Vec<u8> {
        [self.entries.as_bytes(), key].concat()
    }

    /// What the names of all entries begin with. It holds no character that a glob pattern takes as
    /// special.
    pub fn entries(&self) -> &str {
        &self.entries
    }

    /// The key of an entry from the name under which it is kept; `None` if it is no entry's.
    pub fn key_of<'a>(&self, name: &'a [u8]) -> Option<&'a [u8]> {
        name.strip_prefix(self.entries.as_bytes()).filter(|key| !key.is_empty())
    }

    /// What the names of all entries of its partition begin with, from the name of one; `None` if it is no entry's.
    pub fn entries_of(name: &[u8]) -> Option<&[u8]> {
        let tag = name.strip_prefix(b"inval:{")?.iter().position(|byte| *byte == b'}')?;
        let entries = name.get(..b"inval:{".len() + tag + b"}:k:".len())?;
        entries.ends_with(b"}:k:").then_some(entries)
    }

    /// The journal's name.
    pub fn journal(&self) -> &str {
        &self.journal
    }

    /// The access buffer's name.
    pub fn accesses(&self) -> &str {
        &self.accesses
    }

    /// The lease's name.
    pub fn lease(&self) -> &str {
        &self.lease
    }

    /// The accounts' name.
    pub fn accounts(&self) -> &str {
        &self.accounts
    }
}

/// The partition, of `partitions`, that `key` belongs to: its CRC-16 modulo their number.
pub fn partition_of(key: &Key, partitions: u32) -> u32 {
    if partitions <= 1 { 0 } else { u32::from(crc16(key.as_bytes())) % partitions }
}

/// CRC-16/XMODEM (polynomial 0x1021, start 0), by which Redis Cluster assigns keys to slots.
pub fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = crc16_table();
    bytes.iter().fold(0, |crc, byte| crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

const fn crc16_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyspace() -> Keyspace {
        Keyspace::new(&"users".parse().unwrap(), 3)
    }

    #[test]
    fn names_are_those_of_the_documentation() {
        let names = keyspace();
        assert_eq!(names.entry(b"a}{*\r\n\0"), b"inval:{users:3}:k:a}{*\r\n\0");
        assert_eq!(names.journal(), "inval:{users:3}:j");
        assert_eq!(names.accesses(), "inval:{users:3}:a");
        assert_eq!(names.lease(), "inval:{users:3}:lease");
        assert_eq!(names.accounts(), "inval:{users:3}:s");
        assert_eq!(Keyspace::config(&"users".parse().unwrap()), "inval:{users}:config");
    }

    #[test]
    fn only_names_of_configurations_give_a_namespace() {
        let check = |name: &[u8], want: Option<&str>| {
            let namespace = Keyspace::namespace_of(name);
            assert_eq!(namespace.as_ref().map(Namespace::as_str), want);
        };
        check(b"inval:{users}:config", Some("users"));
        check(b"inval:{users:3}:config", None);
        check(b"inval:{users:3}:k:}:config", None);
        check(b"inval:{}:config", None);
        check(b"inval:{\xff}:config", None);
        check(b"inval:{users}:config2", None);
    }

    #[test]
    fn only_names_of_entries_give_a_key() {
        let check = |name: &[u8], want: Option<&[u8]>| assert_eq!(keyspace().key_of(name), want);
        check(b"inval:{users:3}:k:x", Some(b"x"));
        check(b"inval:{users:3}:k:", None);
        check(b"inval:{users:31}:k:x", None);
        check(b"inval:{users:3}:j", None);
        check(b"", None);
    }

    #[test]
    fn the_name_of_an_entry_tells_its_partition_whatever_the_key_holds() {
        let check = |name: &[u8], want: Option<&[u8]>| {
            assert_eq!(Keyspace::entries_of(name), want);
        };
        check(&keyspace().entry(b"}:k:x"), Some(keyspace().entries().as_bytes()));
        check(b"inval:{users:31}:k:\xff", Some(b"inval:{users:31}:k:"));
        check(b"inval:{users:3}:j", None);
        check(b"inval:{users:3}", None);
        check(b"inval:{users:3:k:", None);
        check(b"other:{users:3}:k:x", None);
    }

    #[test]
    fn the_checksum_is_that_of_redis_cluster() {
        // The check value of CRC-16/XMODEM, and a slot out of the Cluster specification's text.
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b"foo") % 16_384, 12_182);
    }

    #[test]
    fn every_key_has_one_partition_and_every_partition_keys() {
        let mut counts = [0; 5];
        for n in 0..1000_u32 {
            counts[partition_of(&Key::new(&n.to_le_bytes()).unwrap(), 5) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| count > 150), "{counts:?}");
        assert_eq!(partition_of(&Key::new(b"x").unwrap(), 1), 0);
        assert_eq!(partition_of(&Key::new(b"x").unwrap(), 0), 0);
    }
}
