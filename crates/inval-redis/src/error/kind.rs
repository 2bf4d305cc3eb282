//! The kinds of errors by name, for counting them.

use super::Error;

/// Names each variant, once for [`Error::kind`] and once for [`Error::KINDS`].
macro_rules! kinds {
    ($($variant:pat => $name:literal,)*) => {
        impl Error {
            /// The names of all kinds.
            pub const KINDS: &'static [&'static str] = &[$($name),*];

            /// The name of its kind, which stays the same from one release to the next.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $($variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    Self::Unreachable(_) => "unreachable",
    Self::Unresolved => "unresolved",
    Self::KeySecret => "key_secret",
    Self::ConnectionLost => "connection_lost",
    Self::Timeout => "timeout",
    Self::OutcomeUnknown(_) => "outcome_unknown",
    Self::Authentication(_) => "authentication",
    Self::Credentials(_) => "credentials",
    Self::Tls(_) => "tls",
    Self::Permission => "permission",
    Self::TooManyClients => "too_many_clients",
    Self::Database => "database",
    Self::OutOfMemory => "out_of_memory",
    Self::Persistence => "persistence",
    Self::NoReplicas => "no_replicas",
    Self::Loading => "loading",
    Self::Busy => "busy",
    Self::ReadOnly => "read_only",
    Self::MasterDown => "master_down",
    Self::ClusterDown => "cluster_down",
    Self::TryAgain => "try_again",
    Self::Redirected => "redirected",
    Self::CrossSlot => "cross_slot",
    Self::NotACluster => "not_a_cluster",
    Self::UnknownMaster => "unknown_master",
    Self::ValueTooLarge(_) => "value_too_large",
    Self::OwnTtlWithIdle => "own_ttl_with_idle",
    Self::NoRoom => "no_room",
    Self::WrongType => "wrong_type",
    Self::NoScript => "no_script",
    Self::ScanInterrupted => "scan_interrupted",
    Self::Protocol => "protocol",
    Self::UnexpectedReply => "unexpected_reply",
    Self::Estranged(_) => "estranged",
    Self::ChangedMeanwhile => "changed_meanwhile",
    Self::Rejected(_) => "rejected",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_in_snake_case() {
        let mut names = Error::KINDS.to_vec();
        let is_snake_case = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(names.iter().all(|name| is_snake_case(name)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Error::KINDS.len());
        assert_eq!(Error::Unreachable(std::io::ErrorKind::NotFound).kind(), "unreachable");
        assert_eq!(Error::OutOfMemory.kind(), "out_of_memory");
    }
}
