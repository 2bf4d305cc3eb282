//! One scan of a server for many managers of a process.
//!
//! Whoever makes books has to see all names on the server. Many that do so at once go through them together: each page
//! is asked for once, by whoever needs one first, and dealt out. A manager that comes while a pass is under way takes
//! part in the next, for a scan promises to tell of everything only from its beginning to its end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use inval_core::keyspace::Keyspace;

use crate::connect::{Client, Cursor};
use crate::error::Error;

/// Whoever has more names to fetch than these would hold up all others, or fill memory, and scans by itself.
const MOST_NAMES: usize = 1024;

/// The passes over one server.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    /// How many pages were dealt out.
    pages: AtomicU64,
    pass: tokio::sync::Mutex<Pass>,
}

#[derive(Debug, Default)]
struct Pass {
    /// The page to be asked for next; `None` between two passes.
    next: Option<Cursor>,
    /// Those who wait for a pass or take part in one, while they live.
    members: Vec<Weak<Member>>,
}

/// A manager's part in a pass.
#[derive(Debug)]
pub(crate) struct Member {
    /// What all its names begin with.
    prefix: Box<[u8]>,
    part: Mutex<Part>,
}

#[derive(Debug, Default)]
struct Part {
    stage: Stage,
    /// What was not fetched yet.
    names: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// For the next pass.
    #[default]
    Waiting,
    Taking,
    Complete,
    Overrun,
}

/// What there was to fetch.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Fetched {
    /// Some names, none perhaps.
    More(Vec<Vec<u8>>),
    /// The last of them.
    Last(Vec<Vec<u8>>),
    /// More than there is room for: whoever asks has to scan by itself, from the beginning.
    TooMany,
}

impl Passes {
    /// Takes part from the next pass on.
    pub(crate) async fn join(&self, names: &Keyspace) -> Arc<Member> {
        self.pass.lock().await.join(names)
    }

    /// What there is for `member`, after a page of about `count` keys from the server that has `key` if there was
    /// nothing.
    pub(crate) async fn fetch(
        &self,
        member: &Member,
        client: &Client,
        key: &[u8],
        count: u32,
    ) -> Result<Fetched, Error> {
        let pages = self.pages.load(Ordering::Relaxed);
        let mut pass = self.pass.lock().await;
        // Somebody else may have asked for a page while this one waited.
        if member.is_in_need() && self.pages.load(Ordering::Relaxed) == pages {
            let cursor = pass.begin_or_go_on();
            let pattern = [Keyspace::pattern("*", "*").entries().as_bytes(), b"*"].concat();
            let page = client.scan(key, cursor, &pattern, count).await;
            let page = page.inspect_err(|error| pass.failed(*error))?;
            pass.deal(page.names, page.next);
            self.pages.fetch_add(1, Ordering::Relaxed);
        }
        Ok(member.fetch())
    }
}

impl Pass {
    fn join(&mut self, names: &Keyspace) -> Arc<Member> {
        let member =
            Arc::new(Member { prefix: names.entries().as_bytes().into(), part: Mutex::default() });
        self.members.push(Arc::downgrade(&member));
        member
    }

    /// Where to go on. A pass begins with all that wait for one.
    fn begin_or_go_on(&mut self) -> Cursor {
        self.next.unwrap_or_else(|| {
            for member in self.members.iter().filter_map(Weak::upgrade) {
                *member.part() = Part { stage: Stage::Taking, names: Vec::new() };
            }
            Cursor::START
        })
    }

    /// Gives each name to whom it belongs.
    fn deal(&mut self, names: Vec<Vec<u8>>, next: Option<Cursor>) {
        let members: Vec<_> = self.members.iter().filter_map(Weak::upgrade).collect();
        let mut of_prefix: HashMap<&[u8], Vec<&Member>> = HashMap::new();
        for member in &members {
            of_prefix.entry(&member.prefix).or_default().push(member);
        }
        for name in names {
            let prefix = Keyspace::entries_of(&name).unwrap_or_default();
            of_prefix.get(prefix).into_iter().flatten().for_each(|member| member.take(&name));
        }
        if next.is_none() {
            members.iter().for_each(|member| member.complete());
        }
        self.next = next;
        self.members =
            members.iter().filter(|member| member.is_to_go_on()).map(Arc::downgrade).collect();
    }

    /// After an interruption all that had not seen everything begin anew. What comes twice does no harm.
    fn failed(&mut self, error: Error) {
        if error == Error::ScanInterrupted {
            self.next = None;
        }
    }
}

impl Member {
    fn part(&self) -> MutexGuard<'_, Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_to_go_on(&self) -> bool {
        matches!(self.part().stage, Stage::Waiting | Stage::Taking)
    }

    /// Whether it is a page that it needs.
    fn is_in_need(&self) -> bool {
        self.is_to_go_on() && self.part().names.is_empty()
    }

    fn take(&self, name: &[u8]) {
        let mut part = self.part();
        if part.stage != Stage::Taking {
            return;
        }
        if part.names.len() < MOST_NAMES {
            part.names.push(name.into());
        } else {
            *part = Part { stage: Stage::Overrun, names: Vec::new() };
        }
    }

    fn complete(&self) {
        let mut part = self.part();
        if part.stage == Stage::Taking {
            part.stage = Stage::Complete;
        }
    }

    fn fetch(&self) -> Fetched {
        let mut part = self.part();
        let names = std::mem::take(&mut part.names);
        match part.stage {
            Stage::Waiting | Stage::Taking => Fetched::More(names),
            Stage::Complete => Fetched::Last(names),
            Stage::Overrun => Fetched::TooMany,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyspace(namespace: &str) -> Keyspace {
        Keyspace::new(&namespace.parse().unwrap(), 0)
    }

    fn names(namespace: &str, keys: std::ops::Range<u32>) -> Vec<Vec<u8>> {
        keys.map(|key| keyspace(namespace).entry(key.to_string().as_bytes())).collect()
    }

    fn somewhere() -> Option<Cursor> {
        Some(Cursor::of_parts((7, 1)))
    }

    #[test]
    fn each_is_dealt_its_own_names_page_by_page() {
        let mut pass = Pass::default();
        let [a, b, twin] = ["a", "b", "a"].map(|namespace| pass.join(&keyspace(namespace)));
        assert_eq!(pass.begin_or_go_on(), Cursor::START);
        pass.deal([names("a", 0..2), names("c", 0..2), names("b", 0..1)].concat(), somewhere());
        assert_eq!(a.fetch(), Fetched::More(names("a", 0..2)));
        assert_eq!(a.fetch(), Fetched::More(Vec::new()));
        assert_eq!(pass.begin_or_go_on(), somewhere().unwrap());
        pass.deal(
            [names("a", 2..3), vec![b"inval:{a:0}:s".to_vec(), b"else".to_vec()]].concat(),
            None,
        );
        assert_eq!(a.fetch(), Fetched::Last(names("a", 2..3)));
        assert_eq!(b.fetch(), Fetched::Last(names("b", 0..1)));
        assert_eq!(twin.fetch(), Fetched::Last(names("a", 0..3)));
        assert!(pass.members.is_empty());
    }

    #[test]
    fn one_that_comes_while_a_pass_is_under_way_takes_part_in_all_of_the_next() {
        let mut pass = Pass::default();
        let first = pass.join(&keyspace("a"));
        pass.begin_or_go_on();
        let late = pass.join(&keyspace("a"));
        pass.deal(names("a", 0..2), None);
        assert_eq!(first.fetch(), Fetched::Last(names("a", 0..2)));
        assert_eq!(late.fetch(), Fetched::More(Vec::new()));
        assert_eq!(pass.begin_or_go_on(), Cursor::START);
        pass.deal(names("a", 0..2), None);
        assert_eq!(late.fetch(), Fetched::Last(names("a", 0..2)));
    }

    #[test]
    fn one_that_does_not_fetch_its_names_is_left_to_itself() {
        let mut pass = Pass::default();
        let [slow, quick] = ["slow", "quick"].map(|namespace| pass.join(&keyspace(namespace)));
        pass.begin_or_go_on();
        let most = MOST_NAMES as u32;
        for from in [0, most] {
            pass.deal(
                [names("slow", from..from + most), names("quick", from..from + most)].concat(),
                somewhere(),
            );
            assert_eq!(quick.fetch(), Fetched::More(names("quick", from..from + most)));
        }
        assert_eq!(slow.fetch(), Fetched::TooMany);
        assert_eq!(pass.members.len(), 1);
    }

    #[test]
    fn an_interrupted_pass_begins_anew_and_another_failure_changes_nothing() {
        let mut pass = Pass::default();
        let member = pass.join(&keyspace("a"));
        pass.begin_or_go_on();
        pass.deal(names("a", 0..2), somewhere());
        pass.failed(Error::Loading);
        assert_eq!(pass.begin_or_go_on(), somewhere().unwrap());
        pass.failed(Error::ScanInterrupted);
        assert_eq!(pass.begin_or_go_on(), Cursor::START);
        pass.deal(names("a", 0..3), None);
        assert_eq!(member.fetch(), Fetched::Last(names("a", 0..3)));
    }

    #[test]
    fn one_that_is_no_more_is_forgotten() {
        let mut pass = Pass::default();
        drop(pass.join(&keyspace("a")));
        let member = pass.join(&keyspace("b"));
        pass.begin_or_go_on();
        pass.deal(names("a", 0..3), somewhere());
        assert_eq!(pass.members.len(), 1);
        assert!(member.is_in_need());
    }
}
