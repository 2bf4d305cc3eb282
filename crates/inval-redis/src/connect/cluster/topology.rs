//! Which node of a Cluster has which slots, as `CLUSTER SLOTS` tells it.

use std::collections::HashSet;
use std::sync::Arc;

use redis::Value;

use super::slot::{SLOTS, Slot, name, slot_of_key};
use crate::connect::node::Node;
use crate::connect::target::HostPort;

const NOBODY: u16 = u16::MAX;

/// A picture of a Cluster. Never changed, only replaced.
#[derive(Clone)]
pub(super) struct Topology {
    members: Vec<Member>,
    /// For each slot, which of the members has it.
    owners: Box<[u16]>,
}

#[derive(Clone)]
pub(super) struct Member {
    pub(super) address: HostPort,
    pub(super) node: Arc<Node>,
}

/// Consecutive slots and the node that has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Range {
    first: Slot,
    last: Slot,
    address: HostPort,
}

impl Topology {
    pub(super) fn empty() -> Self {
        Self { members: Vec::new(), owners: vec![NOBODY; usize::from(SLOTS)].into() }
    }

    /// The picture that `ranges` give. Nodes that were known keep their connections.
    pub(super) fn of(
        ranges: &[Range],
        known: &Self,
        connect: impl Fn(&HostPort) -> Arc<Node>,
    ) -> Self {
        let mut topology = Self::empty();
        for range in ranges {
            let node = || known.node_at(&range.address).unwrap_or_else(|| connect(&range.address));
            let member = topology.member(&range.address, node);
            let slots = usize::from(range.first)..=usize::from(range.last);
            if let Some(owners) = topology.owners.get_mut(slots) {
                owners.fill(member);
            }
        }
        topology
    }

    /// The same with a node at `address` that has `slot`, if one is named.
    pub(super) fn with_member(
        &self,
        address: &HostPort,
        node: &Arc<Node>,
        slot: Option<Slot>,
    ) -> Self {
        let mut topology = self.clone();
        let member = topology.member(address, || Arc::clone(node));
        if let Some(owner) = slot.and_then(|slot| topology.owners.get_mut(usize::from(slot))) {
            *owner = member;
        }
        topology
    }

    pub(super) fn owner(&self, slot: Slot) -> Option<&Member> {
        self.members.get(usize::from(*self.owners.get(usize::from(slot))?))
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// A name for each member that has slots, which is in one of them.
    pub(super) fn routes(&self) -> Vec<Vec<u8>> {
        let mut owners: HashSet<u16> = self.owners.iter().copied().collect();
        owners.remove(&NOBODY);
        let count = owners.len();
        let mut names = (0..=u32::MAX).map(name);
        let owner = |name: &Vec<u8>| self.owners[usize::from(slot_of_key(name))];
        let next = |_| names.find(|name| owners.remove(&owner(name)));
        (0..count).map_while(next).collect()
    }

    pub(super) fn node_at(&self, address: &HostPort) -> Option<Arc<Node>> {
        let member = self.members.iter().find(|member| member.address == *address)?;
        Some(Arc::clone(&member.node))
    }

    pub(super) fn address_of(&self, node: &Arc<Node>) -> Option<&HostPort> {
        let member = self.members.iter().find(|member| Arc::ptr_eq(&member.node, node))?;
        Some(&member.address)
    }

    /// The number of the member at `address`, which is added if it is new.
    fn member(&mut self, address: &HostPort, node: impl FnOnce() -> Arc<Node>) -> u16 {
        let known = self.members.iter().position(|member| member.address == *address);
        let number = known.unwrap_or_else(|| {
            self.members.push(Member { address: address.clone(), node: node() });
            self.members.len() - 1
        });
        u16::try_from(number).unwrap_or(NOBODY)
    }
}

/// Reads the reply to `CLUSTER SLOTS`. A node that does not know its own host leaves it out; then
/// it is the one that was asked. `None` if the reply has another form.
pub(super) fn ranges(reply: &Value, asked: &HostPort) -> Option<Vec<Range>> {
    let Value::Array(ranges) = reply else { return None };
    ranges.iter().map(|range| read_range(range, asked)).collect()
}

fn read_range(range: &Value, asked: &HostPort) -> Option<Range> {
    let Value::Array(parts) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = &**parts else {
        return None;
    };
    let [host, Value::Int(port), ..] = &**primary else { return None };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::Nil => "",
        _ => return None,
    };
    let host = if host.is_empty() { &asked.host } else { host };
    let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    let address = HostPort::new(host, u16::try_from(*port).ok()?);
    (first <= last && last < SLOTS).then_some(Range { first, last, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let primary = Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".into())]);
        Value::Array(vec![Value::Int(first), Value::Int(last), primary])
    }

    #[test]
    fn slots_are_read_and_other_forms_refused() {
        let asked = HostPort::new("asked", 1);
        let name = || Value::BulkString(b"a".into());
        let check = |reply: Value, want: Option<(u16, u16, &str, u16)>| {
            let got = ranges(&Value::Array(vec![reply]), &asked);
            let want = want.map(|(first, last, host, port)| {
                vec![Range { first, last, address: HostPort::new(host, port) }]
            });
            assert_eq!(got, want);
        };
        check(range(0, 16_383, name(), 7000), Some((0, 16_383, "a", 7000)));
        check(range(5, 5, Value::Nil, 7000), Some((5, 5, "asked", 7000)));
        check(range(5, 5, Value::BulkString(Vec::new()), 1), Some((5, 5, "asked", 1)));
        check(range(0, 16_384, name(), 7000), None);
        check(range(6, 5, name(), 7000), None);
        check(range(-1, 5, name(), 7000), None);
        check(range(0, 5, name(), 65_536), None);
        check(range(0, 5, Value::Int(1), 1), None);
        check(Value::Nil, None);
        assert_eq!(ranges(&Value::Okay, &asked), None);
    }
}
