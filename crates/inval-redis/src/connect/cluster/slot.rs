//! Which slot of a Cluster a key belongs to.

/// A number below [`SLOTS`].
pub(in crate::connect) type Slot = u16;

/// How many slots every Cluster has.
pub(in crate::connect) const SLOTS: u16 = 16_384;

/// The slot of a key: the CRC-16 of its hash tag if it has one, else of the whole key.
pub(in crate::connect) fn slot_of_key(key: &[u8]) -> Slot {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

/// What stands between the first `{` and the next `}`, unless that is nothing.
fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|&byte| byte == b'{')?;
    let rest = key.get(open + 1..)?;
    let close = rest.iter().position(|&byte| byte == b'}')?;
    rest.get(..close).filter(|tag| !tag.is_empty())
}

/// CRC-16/XMODEM, half a byte at a time.
fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 16] = half_byte_table();
    let step = |crc: u16, half: u8| crc << 4 ^ TABLE[usize::from((crc >> 12) as u8 ^ half) & 15];
    bytes.iter().fold(0, |crc, byte| step(step(crc, byte >> 4), byte & 15))
}

const fn half_byte_table() -> [u16; 16] {
    let mut table = [0; 16];
    let mut half = 0;
    while half < 16 {
        let mut crc = (half as u16) << 12;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[half] = crc;
        half += 1;
    }
    table
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
