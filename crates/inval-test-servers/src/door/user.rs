//! Tells from the first command on a connection which user it is for; replicas ping before they log in.

/// More than a client says to log in; what is longer is no login.
const MOST: usize = 4096;

/// What the first bytes of a connection say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Login {
    /// The command is not complete.
    Unfinished,
    /// The first command names no user.
    Nobody,
    /// This user logs in.
    User(String),
}

/// Reads `AUTH user password` or `HELLO version AUTH user password`, after any `PING` and whatever follows.
pub(super) fn login(first: &[u8]) -> Login {
    match read(first) {
        Err(Unfinished) if first.len() < MOST => Login::Unfinished,
        Err(Unfinished) | Ok(None) => Login::Nobody,
        Ok(Some(user)) => Login::User(String::from_utf8_lossy(user).into_owned()),
    }
}

struct Unfinished;

/// The user; `None` if the command names none.
fn read(first: &[u8]) -> Result<Option<&[u8]>, Unfinished> {
    let mut rest = first;
    let to_user = loop {
        let Some(count) = length(&mut rest, b'*')? else { return Ok(None) };
        let Some(name) = argument(&mut rest)? else { return Ok(None) };
        match name.to_ascii_uppercase().as_slice() {
            b"PING" if count == 1 => {}
            b"AUTH" if count == 3 => break 0,
            b"HELLO" if count > 4 => break 1,
            _ => return Ok(None),
        }
    };
    for _ in 0..to_user {
        argument(&mut rest)?;
    }
    if to_user > 0 && !argument(&mut rest)?.is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH")) {
        return Ok(None);
    }
    argument(&mut rest)
}

/// `None` if it is no argument.
fn argument<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Unfinished> {
    let Some(length) = length(rest, b'$')? else { return Ok(None) };
    let (argument, after) = rest.split_at_checked(length).ok_or(Unfinished)?;
    *rest = after.get(2..).ok_or(Unfinished)?;
    Ok(Some(argument))
}

/// The number in a line that begins with `mark`; `None` if it is no such line.
fn length(rest: &mut &[u8], mark: u8) -> Result<Option<usize>, Unfinished> {
    match rest.first() {
        None => return Err(Unfinished),
        Some(first) if *first != mark => return Ok(None),
        Some(_) => {}
    }
    let end = rest.windows(2).position(|two| two == b"\r\n").ok_or(Unfinished)?;
    let number = str::from_utf8(&rest[1..end]).ok().and_then(|number| number.parse().ok());
    *rest = &rest[end + 2..];
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> String {
        let words = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
        format!("*{}\r\n{}", words.len(), words.collect::<String>())
    }

    fn check(first: &str, expected: Login) {
        assert_eq!(login(first.as_bytes()), expected, "{first:?}");
    }

    #[test]
    fn a_login_is_read_whatever_follows() {
        let app = || Login::User("app".to_owned());
        check(&command(&["AUTH", "app", "pw"]), app());
        check(&(command(&["PING"]) + &command(&["AUTH", "app", "pw"])), app());
        check(&(command(&["auth", "app", "pw"]) + &command(&["GET", "k"])), app());
        check(&command(&["HELLO", "3", "AUTH", "app", "pw"]), app());
        check(&command(&["hello", "3", "auth", "app", "pw", "SETNAME", "n"]), app());
    }

    #[test]
    fn other_commands_name_nobody() {
        for words in [&["AUTH", "pw"][..], &["PING", "x"], &["HELLO", "3"], &["GET", "AUTH", "app"]]
        {
            check(&command(words), Login::Nobody);
        }
        check(&command(&["HELLO", "3", "SETNAME", "AUTH", "app"]), Login::Nobody);
        for noise in ["PING\r\n", "*x\r\n", "*1\r\n:1\r\n", "\u{16}\u{3}\u{1}"] {
            check(noise, Login::Nobody);
        }
        check(&format!("*3\r\n$4\r\nAUTH\r\n$9999\r\n{}", "x".repeat(MOST)), Login::Nobody);
    }

    #[test]
    fn a_login_in_pieces_is_awaited() {
        let whole = command(&["HELLO", "3", "AUTH", "app", "pw"]);
        let known = whole.find("$2\r\npw").expect("there");
        for end in 0..known {
            check(&whole[..end], Login::Unfinished);
        }
        check(&command(&["PING"]), Login::Unfinished);
        check(&whole[..known], Login::User("app".to_owned()));
    }
}
