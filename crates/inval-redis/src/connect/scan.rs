//! Pages of a scan, each from the server that has the keys, or an error.

use redis::{Pipeline, Value};

use crate::error::Error;

/// Where a scan goes on. Means something to the server process alone that gave it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    position: u64,
    instance: u64,
}

impl Cursor {
    /// Where a scan begins.
    pub const START: Self = Self { position: 0, instance: 0 };

    /// A cursor from its parts, which [`parts`](Self::parts) gives.
    pub(crate) fn of_parts((position, instance): (u64, u64)) -> Self {
        Self { position, instance }
    }

    pub(crate) fn parts(self) -> (u64, u64) {
        (self.position, self.instance)
    }

    pub(super) fn is_of(self, instance: u64) -> bool {
        self == Self::START || self.instance == instance
    }
}

/// Some names of keys, and where to go on.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// The names. A name may come more than once in a scan, and a page may be empty.
    pub names: Vec<Vec<u8>>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("names", &self.names.len()).field("next", &self.next).finish()
    }
}

/// What asks for a page. `SCAN` names no key, so every node of a Cluster answers it for itself. A
/// command that does, before it, makes a node say so if it is not the one that has the keys.
pub(super) fn request(key: &[u8], cursor: Cursor, pattern: &[u8], count: u32) -> Pipeline {
    let mut request = Pipeline::with_capacity(2);
    request.cmd("EXISTS").arg(key);
    add_scan(&mut request, cursor, pattern, count);
    request
}

/// The same, with a look at the server's clock before and after the `SCAN`.
pub(super) fn timed_request(key: &[u8], cursor: Cursor, pattern: &[u8], count: u32) -> Pipeline {
    let mut request = Pipeline::with_capacity(4);
    request.cmd("EXISTS").arg(key);
    request.cmd("TIME");
    add_scan(&mut request, cursor, pattern, count);
    request.cmd("TIME");
    request
}

fn add_scan(request: &mut Pipeline, cursor: Cursor, pattern: &[u8], count: u32) {
    request.cmd("SCAN").arg(cursor.position).arg("MATCH").arg(pattern).arg("COUNT").arg(count);
}

/// Reads the reply to the `SCAN` of [`request`].
pub(super) fn page(reply: Value, instance: u64) -> Result<Page, Error> {
    let Value::Array(parts) = reply else { return Err(Error::UnexpectedReply) };
    let Ok([Value::BulkString(position), Value::Array(names)]) = <[Value; 2]>::try_from(parts)
    else {
        return Err(Error::UnexpectedReply);
    };
    let position = std::str::from_utf8(&position).ok().and_then(|digits| digits.parse().ok());
    let next = match position.ok_or(Error::UnexpectedReply)? {
        0 => None,
        position => Some(Cursor { position, instance }),
    };
    let names = names.into_iter().map(|name| match name {
        Value::BulkString(name) => Ok(name),
        _ => Err(Error::UnexpectedReply),
    });
    Ok(Page { names: names.collect::<Result<_, _>>()?, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn pages_are_read_and_other_forms_refused() {
        let check = |reply: Value, want: Result<(usize, bool), Error>| {
            let got = page(reply.clone(), 7).map(|page| (page.names.len(), page.next.is_some()));
            assert_eq!(got, want, "{reply:?}");
        };
        let names = || Value::Array(vec![bulk("a"), bulk("b")]);
        check(Value::Array(vec![bulk("0"), names()]), Ok((2, false)));
        check(Value::Array(vec![bulk("17"), Value::Array(Vec::new())]), Ok((0, true)));
        check(Value::Array(vec![bulk("x"), names()]), Err(Error::UnexpectedReply));
        check(Value::Array(vec![bulk("0")]), Err(Error::UnexpectedReply));
        check(
            Value::Array(vec![bulk("0"), Value::Array(vec![Value::Nil])]),
            Err(Error::UnexpectedReply),
        );
        check(Value::Nil, Err(Error::UnexpectedReply));
    }

    #[test]
    fn a_cursor_belongs_to_one_process() {
        let next = page(Value::Array(vec![bulk("17"), Value::Array(Vec::new())]), 7).unwrap().next;
        assert!(next.unwrap().is_of(7));
        assert!(!next.unwrap().is_of(8));
        assert!(Cursor::START.is_of(8));
    }
}
