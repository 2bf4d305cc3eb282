//! Rules as servers read them: words of `ACL SETUSER`, a line of it, a line of an ACL file.

use std::collections::BTreeMap;

use super::{Access, Part, Rules};

/// Where the digest of a password goes.
const DIGEST: &str = "#<sha256>";

impl Rules {
    /// The words that follow the user's name in `ACL SETUSER` and say what it may do: nothing, then commands
    /// without keys, then a selector for each group of commands that use the same keys in the same way.
    ///
    /// They add to what the user may do already: `reset` before them takes that away.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["-@all".to_owned()];
        let mut groups: BTreeMap<&[(Part, Access)], Vec<&str>> = BTreeMap::new();
        for need in &self.needs {
            if need.keys.is_empty() {
                words.push(format!("+{}", need.command));
            } else {
                groups.entry(&need.keys).or_default().push(&need.command);
            }
        }
        let mut selectors: Vec<_> = groups.into_iter().collect();
        selectors.sort_by_key(|(_, commands)| commands[0]);
        words.extend(selectors.iter().map(|(keys, commands)| self.selector(keys, commands)));
        words
    }

    fn selector(&self, keys: &[(Part, Access)], commands: &[&str]) -> String {
        let commands = commands.iter().map(|command| format!("+{command}"));
        let keys = keys.iter().flat_map(|&(part, access)| {
            let permission = match access {
                Access::Read => "%R~",
                Access::Write => "%W~",
                Access::ReadWrite => "~",
            };
            self.patterns(part).into_iter().map(move |pattern| format!("{permission}{pattern}"))
        });
        format!("({})", commands.chain(keys).collect::<Vec<_>>().join(" "))
    }

    /// The command that makes `user` have these rights and no others, as redis-cli takes it. The digest of the
    /// password is to be filled in.
    pub fn setuser(&self, user: &str) -> String {
        let quoted = |word: String| if word.contains(' ') { format!("\"{word}\"") } else { word };
        let words: Vec<_> = self.words().into_iter().map(quoted).collect();
        format!("ACL SETUSER {user} reset on {DIGEST} {}", words.join(" "))
    }

    /// The same as a line of a server's ACL file.
    pub fn line(&self, user: &str) -> String {
        format!("user {user} on {DIGEST} {}", self.words().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use crate::acl::{Layout, Reading, Role, Rules};

    fn rules(role: Role, change: impl FnOnce(&mut Layout)) -> String {
        let mut layout = Layout::of(vec!["users".parse().unwrap()]);
        change(&mut layout);
        Rules::new(role, layout).words().join(" ")
    }

    #[test]
    fn commands_that_use_the_same_keys_share_a_selector() {
        assert_eq!(
            rules(Role::Reader, |_| {}),
            "-@all +info|server +ping (+exists +mget +object|idletime +pttl %R~inval:{users:0}:k:*) \
             (+get %R~inval:{users:0}:k:* %R~inval:{users}:config) (+hget +hgetall %R~inval:{users:0}:s) \
             (+hincrby ~inval:{users:0}:s) (+ltrim +rpush %W~inval:{users:0}:a)"
        );
    }

    #[test]
    fn what_the_layout_asks_for_is_added() {
        let check = |change: fn(&mut Layout), want: &str| {
            let words = rules(Role::Reader, change);
            assert!(words.contains(want), "{words}");
        };
        check(|layout| layout.db = 3, "+select|3");
        check(|layout| layout.reading = Reading::Idle, "(+getex ~inval:{users:0}:k:*)");
        check(|layout| layout.partitions = 3, "%R~inval:{users:[0-9]}:s");
        check(
            |layout| layout.scopes.push("b".parse().unwrap()),
            "%R~inval:{users:0}:s %R~inval:{b:0}:s",
        );
        check(|layout| layout.deployment = crate::acl::Deployment::Sentinel, "+role");
        check(
            |layout| layout.deployment = crate::acl::Deployment::Cluster,
            "+asking +cluster|slots",
        );
    }

    #[test]
    fn no_password_is_part_of_it() {
        let layout = Layout::of(vec!["users".parse().unwrap()]);
        let rules = Rules::new(Role::Reader, layout);
        assert!(
            rules
                .setuser("bob")
                .starts_with("ACL SETUSER bob reset on #<sha256> -@all +info|server")
        );
        assert!(rules.setuser("bob").contains(" \"(+hincrby ~inval:{users:0}:s)\""));
        assert!(rules.line("bob").starts_with("user bob on #<sha256> -@all +info|server"));
    }
}
