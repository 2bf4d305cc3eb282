//! How often an address may come with a wrong token.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// So many at once, and then one more after each pause.
const BURST: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);
/// The most addresses that are remembered. Those beyond share one allowance.
const MOST_ADDRESSES: usize = 4096;
/// How long forgetting those who have behaved is not tried again, for it looks at all.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// A token bucket (in the sense of traffic shaping) for each address, in bounded memory. It is asked only about those
/// whose token is wrong, so nobody can use up what a valid token needs.
pub(crate) struct Throttle {
    addresses: HashMap<IpAddr, Bucket>,
    others: Bucket,
    swept: Option<Instant>,
}

/// The moment when it is full again; so far ahead of now as there is missing.
#[derive(Clone, Copy, Default)]
struct Bucket(Option<Instant>);

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { addresses: HashMap::new(), others: Bucket::default(), swept: None }
    }

    /// Notes a failure of `address`, or says after what time it may try again.
    pub(crate) fn fail(&mut self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = network(address);
        if self.addresses.len() >= MOST_ADDRESSES && !self.addresses.contains_key(&address) {
            self.sweep(now);
            if self.addresses.len() >= MOST_ADDRESSES {
                return self.others.take(now);
            }
        }
        self.addresses.entry(address).or_default().take(now)
    }

    /// Forgets the addresses whose buckets are full again.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEP_PAUSE) {
            self.addresses.retain(|_, bucket| bucket.0.is_some_and(|full| full > now));
            self.swept = Some(now);
        }
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full = self.0.map_or(now, |full| full.max(now)) + PAUSE;
        match full.duration_since(now).checked_sub(PAUSE * BURST) {
            Some(missing) if missing > Duration::ZERO => Err(missing),
            _ => {
                self.0 = Some(full);
                Ok(())
            }
        }
    }
}

/// What counts as one address: of IPv6, a network of 64 bits, for whoever has one address there has them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(throttle: &mut Throttle, address: &str, now: Instant) -> u32 {
        let address = address.parse().unwrap();
        (0..1000).take_while(|_| throttle.fail(address, now).is_ok()).count() as u32
    }

    #[test]
    fn a_burst_passes_and_then_one_after_each_pause() {
        let (mut throttle, now) = (Throttle::new(), Instant::now());
        assert_eq!(failures(&mut throttle, "10.0.0.1", now), BURST);
        let address = "10.0.0.1".parse().unwrap();
        assert_eq!(throttle.fail(address, now), Err(PAUSE));
        assert_eq!(throttle.fail(address, now + PAUSE / 2), Err(PAUSE / 2));
        assert_eq!(failures(&mut throttle, "10.0.0.1", now + PAUSE), 1);
        assert_eq!(failures(&mut throttle, "10.0.0.1", now + 4 * PAUSE), 3);
        assert_eq!(failures(&mut throttle, "10.0.0.1", now + 1000 * PAUSE), BURST);
    }

    #[test]
    fn addresses_do_not_use_up_what_others_have() {
        let (mut throttle, now) = (Throttle::new(), Instant::now());
        assert_eq!(failures(&mut throttle, "10.0.0.1", now), BURST);
        assert_eq!(failures(&mut throttle, "10.0.0.2", now), BURST);
        assert_eq!(failures(&mut throttle, "::ffff:10.0.0.1", now), 0);
        assert_eq!(failures(&mut throttle, "2001:db8::1", now), BURST);
        assert_eq!(failures(&mut throttle, "2001:db8::ffff:0:0:1", now), 0);
        assert_eq!(failures(&mut throttle, "2001:db8:0:1::1", now), BURST);
    }

    #[test]
    fn it_remembers_so_many_addresses_and_forgets_those_who_behave() {
        let (mut throttle, now) = (Throttle::new(), Instant::now());
        for number in 0..MOST_ADDRESSES as u32 + 1000 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
            let _ = throttle.fail(address, now);
            assert!(throttle.addresses.len() <= MOST_ADDRESSES);
        }
        assert_eq!(failures(&mut throttle, "10.0.0.1", now), 0);
        let later = now + 2 * PAUSE;
        assert_eq!(failures(&mut throttle, "10.0.0.1", later), BURST);
        assert_eq!(throttle.addresses.len(), 1);
    }
}
