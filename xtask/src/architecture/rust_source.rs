//! Rust text reduced to what runs in production: no comments, literals, items under `#[cfg(test)]`.

/// The part of a file that a scan should look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Production {
    /// The remaining text; line numbers are those of the file.
    pub(super) text: String,
    /// Names in `#[cfg(test)] mod name;`, whose files are tests too.
    pub(super) test_modules: Vec<String>,
}

impl Production {
    pub(super) fn of(source: &str) -> Self {
        let mut text = without_comments_and_literals(source);
        let mut test_modules = Vec::new();
        while let Some(start) = find_test_attribute(&text) {
            let item = &text[start..start + item_len(&text[start..])];
            test_modules.extend(module_declared_by(item));
            let blank = newlines_of(item);
            text.replace_range(start..start + item.len(), &blank);
        }
        Self { text, test_modules }
    }

    /// Every path that `use` declarations bring in, groups spelled out: `std::time::Instant`.
    pub(super) fn imports(&self) -> Vec<String> {
        let mut imports = Vec::new();
        for declaration in self.text.split(';') {
            let Some(start) = declaration.rfind("use ") else {
                continue;
            };
            let is_word = !declaration[..start].ends_with(is_identifier);
            if is_word {
                let tree: String =
                    declaration[start + 4..].split_whitespace().collect::<Vec<_>>().join(" ");
                spell_out("", &tree, &mut imports);
            }
        }
        imports
    }
}

/// Whether `c` may stand inside an identifier.
pub(super) fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn without_comments_and_literals(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let opaque = opaque_len(rest);
        let (code, len) = match opaque {
            0 => (next.to_string(), next.len_utf8()),
            _ => (format!(" {}", newlines_of(&rest[..opaque])), opaque),
        };
        text.push_str(&code);
        rest = &rest[len..];
    }
    text
}

/// The length of the comment or literal that `rest` begins with; zero if it begins with code.
fn opaque_len(rest: &str) -> usize {
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment_len(rest)
    } else if rest.starts_with('"') {
        string_len(rest)
    } else if rest.starts_with('\'') {
        character_len(rest)
    } else if rest.starts_with('r') {
        raw_string_len(rest)
    } else {
        0
    }
}

/// Block comments nest.
fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        if tail.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are characters; in `'a` the quote begins a lifetime, which is code.
fn character_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(0, |end| 3 + end + 1),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// `r"…"` and `r#"…"#`; a raw identifier such as `r#type` is code.
fn raw_string_len(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    let open = 1 + hashes;
    if !rest[open..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    rest[open + 1..].find(&close).map_or(rest.len(), |at| open + 1 + at + close.len())
}

fn newlines_of(text: &str) -> String {
    "\n".repeat(text.matches('\n').count())
}

/// Where an attribute stands that leaves its item out of every build but the tests'.
fn find_test_attribute(text: &str) -> Option<usize> {
    ["#[cfg(test)]", "#[cfg(all(test,"].iter().filter_map(|attribute| text.find(attribute)).min()
}

/// The length of the item that `text` begins with: up to its `;` or closing brace.
fn item_len(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The name in an item that ends in `mod name;`.
fn module_declared_by(item: &str) -> Option<String> {
    let mut words = item.strip_suffix(';')?.split_whitespace().rev();
    let name = words.next()?;
    (words.next()? == "mod").then(|| name.to_owned())
}

/// Adds each path of a `use` tree, `prefix` being what stands before it.
fn spell_out(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        paths.push(format!("{prefix}{path}"));
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let close = tree.rfind('}').unwrap_or(tree.len());
    for branch in split_outside_braces(&tree[open + 1..close]) {
        spell_out(&prefix, branch.trim(), paths);
    }
}

fn split_outside_braces(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = list.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        let production = Production::of(source);
        let words: Vec<&str> = production.text.split_whitespace().collect();
        assert_eq!(words, expected, "{source}");
        assert_eq!(production.text.matches('\n').count(), source.matches('\n').count(), "{source}");
    }

    #[test]
    fn comments_go() {
        check("a // b\nc", &["a", "c"]);
        check("//! b\n/// c\nd", &["d"]);
        check("a /* b /* c\n */ d */ e", &["a", "e"]);
    }

    #[test]
    fn literals_go_and_lifetimes_stay() {
        check(r#"a "b \" // c" d"#, &["a", "d"]);
        check("a r#\"b \" c\"# d", &["a", "d"]);
        check(r"a '\'' b '\u{1F600}' c 'x' d", &["a", "b", "c", "d"]);
        check("&'a str r#type", &["&'a", "str", "r#type"]);
    }

    #[test]
    fn items_under_cfg_test_go() {
        check("a\n#[cfg(test)]\nmod tests {\n fn f() { g([1; 2]) }\n}\nb", &["a", "b"]);
        check("#[cfg(test)]\nuse a::b;\nc", &["c"]);
        check("#[cfg(all(test, not(miri)))] fn f(x: [u8; 2]) { y } c", &["c"]);
    }

    #[test]
    fn code_of_the_testing_feature_stays() {
        check("#[cfg(feature = \"testing\")] mod a;", &["#[cfg(feature", "=", ")]", "mod", "a;"]);
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_named() {
        let production = Production::of(
            "#[cfg(test)]\nmod model;\n#[cfg(test)] pub(crate) mod other;\nmod real;",
        );
        assert_eq!(production.test_modules, ["model", "other"]);
    }

    #[test]
    fn imports_are_spelled_out() {
        let source = "use std::{env, time::{Duration, Instant as Now}};\n\
            pub use a::b;\nfn reuse() { x }\nuse c::*;";
        let expected = ["std::env", "std::time::Duration", "std::time::Instant", "a::b", "c::*"];
        assert_eq!(Production::of(source).imports(), expected);
    }
}
