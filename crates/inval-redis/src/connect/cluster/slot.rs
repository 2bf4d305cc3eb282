//! Which slot of a Cluster a key belongs to.

use inval_core::keyspace::crc16;

/// A number below [`SLOTS`].
pub(in crate::connect) type Slot = u16;

/// How many slots every Cluster has.
pub(in crate::connect) const SLOTS: u16 = 16_384;

/// The slot of a key: the CRC-16 of its hash tag if it has one, else of the whole key.
pub(in crate::connect) fn slot_of_key(key: &[u8]) -> Slot {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

/// One of the names by which slots are found. It is such as a user may read who may read all of inval's.
pub(in crate::connect) fn name(number: u32) -> Vec<u8> {
    format!("inval:{{{number}}}:config").into_bytes()
}

/// What stands between the first `{` and the next `}`, unless that is nothing.
fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|&byte| byte == b'{')?;
    let rest = key.get(open + 1..)?;
    let close = rest.iter().position(|&byte| byte == b'}')?;
    rest.get(..close).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_that_servers_compute() {
        let check = |key: &str, want: Slot| assert_eq!(slot_of_key(key.as_bytes()), want, "{key}");
        // As `CLUSTER KEYSLOT` says.
        check("123456789", 12_739);
        check("foo", 12_182);
        check("{foo}bar", 12_182);
        check("bar{foo}{bar}", 12_182);
        check("", 0);
        check("{}foo", slot_of_key(b"{}foo"));
        assert_ne!(slot_of_key(b"{}foo"), 12_182);
        assert_ne!(slot_of_key(b"{foo"), 12_182);
        check("a{foo}}", 12_182);
        assert_eq!(slot_of_key(b"inval:{users:3}:j"), slot_of_key(b"inval:{users:3}:k:x"));
    }
}
