//! A hierarchical timing wheel with integer ticks: which timer is due, found without a clock.
//!
//! The hierarchy of Varghese and Lauck (SOSP 1987, scheme 7) with two changes. Slots are addressed
//! by the digits of the due tick itself instead of its distance from now, so time may jump by any
//! amount at the cost of one look. And a slot is split into the 64 slots below it only when its turn
//! comes, which also yields the exact soonest timer, not just the due ones. A timer moves down at
//! most once per level, so every operation is amortised constant time.

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: u32 = 8;
/// The latest tick that can be told apart; later ones are taken as this one.
pub(crate) const LAST_TICK: u64 = (1 << (BITS * LEVELS)) - 1;

const EMPTY: u32 = u32::MAX;
/// Set in a slot that holds the index of a node, clear in one that holds the head of a list.
const NODE: u32 = 1 << 31;

#[derive(Clone, Copy, Debug)]
struct Timer {
    due: u64,
    prev: u32,
    /// The next timer of the same circular list, or `EMPTY` while not scheduled.
    next: u32,
}

#[derive(Clone, Debug)]
struct Node {
    filled: u64,
    slots: [u32; SLOTS],
}

impl Node {
    const EMPTY: Self = Self { filled: 0, slots: [EMPTY; SLOTS] };

    fn set(&mut self, slot: usize, content: u32) {
        self.slots[slot] = content;
        if content == EMPTY {
            self.filled &= !(1 << slot);
        } else {
            self.filled |= 1 << slot;
        }
    }
}

/// Timers by 31-bit ids, each due at one tick. Ids should be dense: memory is 16 bytes for every id
/// up to the highest ever scheduled, and nothing before the first.
///
/// ```
/// let mut wheel = inval_core::Wheel::new();
/// wheel.schedule(7, 1_000);
/// wheel.schedule(3, 50);
/// assert_eq!(wheel.first_due(49), None);
/// assert_eq!(wheel.first_due(60), Some(3));
/// wheel.cancel(3);
/// assert_eq!(wheel.soonest(), Some(7));
/// ```
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub struct Wheel {
    len: usize,
    timers: Vec<Timer>,
    /// The root, then nodes in no order.
    nodes: Vec<Node>,
    free: Vec<u32>,
    /// The latest tick asked about. The slots around it are kept split, as new timers near it
    /// would otherwise pile up in one list.
    cursor: u64,
}

impl Wheel {
    /// A wheel without timers.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many timers are scheduled.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tick at which timer `id` is due, if it is scheduled.
    pub fn due(&self, id: u32) -> Option<u64> {
        let timer = self.timers.get(id as usize)?;
        (timer.next != EMPTY).then_some(timer.due)
    }

    /// Schedules timer `id` for tick `due`, instead of any tick it was scheduled for. Ticks from 2^48
    /// on are taken as 2^48 − 1.
    ///
    /// # Panics
    /// If `id` is not below 2^31.
    pub fn schedule(&mut self, id: u32, due: u64) {
        assert!(id < NODE, "timer ids have 31 bits");
        self.cancel(id);
        let due = due.min(LAST_TICK);
        let idle = Timer { due, prev: EMPTY, next: EMPTY };
        let at = id as usize;
        if self.timers.len() <= at {
            self.timers.resize(at + 1, idle);
        }
        self.timers[at] = idle;
        self.len += 1;
        if self.nodes.is_empty() {
            self.nodes.push(Node::EMPTY);
        }
        let (node, level) = self.descend(due);
        self.append(node, digit(due, level), id);
    }

    /// Takes timer `id` off the wheel; whether it was scheduled.
    pub fn cancel(&mut self, id: u32) -> bool {
        let Some(due) = self.due(id) else {
            return false;
        };
        let mut path = [0; LEVELS as usize];
        let (mut node, mut level) = (0, LEVELS - 1);
        while let Some(child) = self.child(node, digit(due, level)) {
            path[level as usize] = node;
            (node, level) = (child, level - 1);
        }
        self.unlink(node, digit(due, level), id);
        while self.nodes[node].filled == 0 && node != 0 {
            self.free.push(node as u32);
            level += 1;
            node = path[level as usize];
            self.nodes[node].set(digit(due, level), EMPTY);
        }
        self.len -= 1;
        true
    }

    /// A timer that is due at or before tick `now`: the soonest, and the first scheduled among
    /// equals. It stays on the wheel until it is cancelled or scheduled anew.
    pub fn first_due(&mut self, now: u64) -> Option<u32> {
        self.cursor = self.cursor.max(now);
        self.front(now)
    }

    /// The timer that is due soonest, and the first scheduled among equals.
    pub fn soonest(&mut self) -> Option<u32> {
        self.front(u64::MAX)
    }

    /// No timer is due before this tick, which is exact or at most as far off as the range of a
    /// slot not yet split; `None` while no timer is scheduled.
    pub fn next_wake(&self) -> Option<u64> {
        let (mut node, mut level, mut base) = (0, LEVELS - 1, 0);
        loop {
            let slot = first_filled(self.nodes.get(node)?)?;
            base |= (slot as u64) << (BITS * level);
            let Some(child) = self.child(node, slot) else {
                let head = self.nodes[node].slots[slot];
                let Timer { due, next, .. } = self.timers[head as usize];
                return Some(if next == head { due } else { base });
            };
            (node, level) = (child, level - 1);
        }
    }

    /// Recounts everything: whether each timer stands in the slot that its tick demands, and whether
    /// lists, bits and counts agree.
    pub fn is_consistent(&self) -> bool {
        let mut seen = 0;
        let mut open = if self.nodes.is_empty() { vec![] } else { vec![(0, LEVELS - 1, 0)] };
        let mut live_nodes = open.len();
        while let Some((node, level, base)) = open.pop() {
            for slot in 0..SLOTS {
                let content = self.nodes[node].slots[slot];
                let range = base | (slot as u64) << (BITS * level);
                if (content != EMPTY) != (self.nodes[node].filled >> slot & 1 == 1) {
                    return false;
                }
                if let Some(child) = self.child(node, slot) {
                    if level == 0 || self.nodes[child].filled == 0 {
                        return false;
                    }
                    live_nodes += 1;
                    open.push((child, level - 1, range));
                } else if content != EMPTY {
                    match self.count_list(content, range, level) {
                        Some(count) => seen += count,
                        None => return false,
                    }
                }
            }
        }
        let scheduled = self.timers.iter().filter(|t| t.next != EMPTY).count();
        seen == self.len
            && scheduled == self.len
            && live_nodes + self.free.len() == self.nodes.len()
    }

    /// How many timers the list has; `None` if one does not belong in the slot or the links are off.
    fn count_list(&self, head: u32, range: u64, level: u32) -> Option<usize> {
        let (mut count, mut id) = (0, head);
        loop {
            let timer = self.timers.get(id as usize)?;
            let next = self.timers.get(timer.next as usize)?;
            count += 1;
            let belongs = timer.due >> (BITS * level) == range >> (BITS * level);
            if !belongs || next.prev != id || count > self.len {
                return None;
            }
            id = timer.next;
            if id == head {
                return Some(count);
            }
        }
    }

    fn child(&self, node: usize, slot: usize) -> Option<usize> {
        let content = self.nodes[node].slots[slot];
        (content != EMPTY && content & NODE != 0).then_some((content & !NODE) as usize)
    }

    /// The node and level whose slot takes a timer due at `due`. Slots around the cursor are split on
    /// the way.
    fn descend(&mut self, due: u64) -> (usize, u32) {
        let (mut node, mut level) = (0, LEVELS - 1);
        loop {
            let slot = digit(due, level);
            node = match self.child(node, slot) {
                Some(child) => child,
                None if level > 0 && (due ^ self.cursor) >> (BITS * level) == 0 => {
                    self.split(node, slot, level)
                }
                None => return (node, level),
            };
            level -= 1;
        }
    }

    /// The soonest timer, if it is due by `limit`.
    fn front(&mut self, limit: u64) -> Option<u32> {
        let (mut node, mut level, mut base) = (0, LEVELS - 1, 0);
        loop {
            let slot = first_filled(self.nodes.get(node)?)?;
            base |= (slot as u64) << (BITS * level);
            if base > limit {
                return None;
            }
            node = match self.child(node, slot) {
                Some(child) => child,
                None => {
                    let head = self.nodes[node].slots[slot];
                    let timer = self.timers[head as usize];
                    if level == 0 || timer.next == head {
                        return (timer.due <= limit).then_some(head);
                    }
                    self.split(node, slot, level)
                }
            };
            level -= 1;
        }
    }

    /// Puts a new node into a slot of `level` and spreads the list that was there, in order, over
    /// the node's slots.
    fn split(&mut self, node: usize, slot: usize, level: u32) -> usize {
        let child = match self.free.pop() {
            Some(index) => {
                self.nodes[index as usize] = Node::EMPTY;
                index as usize
            }
            None => {
                self.nodes.push(Node::EMPTY);
                self.nodes.len() - 1
            }
        };
        let head = self.nodes[node].slots[slot];
        self.nodes[node].set(slot, NODE | child as u32);
        if head == EMPTY {
            return child;
        }
        let last = self.timers[head as usize].prev;
        let mut id = head;
        loop {
            let Timer { due, next, .. } = self.timers[id as usize];
            self.append(child, digit(due, level - 1), id);
            if id == last {
                return child;
            }
            id = next;
        }
    }

    fn append(&mut self, node: usize, slot: usize, id: u32) {
        let head = self.nodes[node].slots[slot];
        if head == EMPTY {
            self.nodes[node].set(slot, id);
            let timer = &mut self.timers[id as usize];
            (timer.prev, timer.next) = (id, id);
        } else {
            let tail = std::mem::replace(&mut self.timers[head as usize].prev, id);
            self.timers[tail as usize].next = id;
            let timer = &mut self.timers[id as usize];
            (timer.prev, timer.next) = (tail, head);
        }
    }

    fn unlink(&mut self, node: usize, slot: usize, id: u32) {
        let Timer { prev, next, .. } = self.timers[id as usize];
        if next == id {
            self.nodes[node].set(slot, EMPTY);
        } else {
            self.timers[prev as usize].next = next;
            self.timers[next as usize].prev = prev;
            if self.nodes[node].slots[slot] == id {
                self.nodes[node].slots[slot] = next;
            }
        }
        self.timers[id as usize].next = EMPTY;
    }
}

fn digit(tick: u64, level: u32) -> usize {
    (tick >> (BITS * level)) as usize & (SLOTS - 1)
}

fn first_filled(node: &Node) -> Option<usize> {
    (node.filled != 0).then(|| node.filled.trailing_zeros() as usize)
}
