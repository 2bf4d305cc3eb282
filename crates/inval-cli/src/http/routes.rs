//! The table of all paths and what can be done there. The router follows it.

use axum::http::Method;
use inval_core::access::Operation as Right;

/// A path and its operations.
pub(super) struct Path {
    /// With the names of what varies in braces.
    pub(super) template: &'static str,
    pub(super) operations: &'static [(Method, Operation)],
}

/// Every operation with the name that metrics give it.
macro_rules! operations {
    ($($operation:ident $name:literal,)+) => {
        /// What can be requested.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Operation {
            $($operation,)+
        }

        impl Operation {
            pub(super) const ALL: &[Self] = &[$(Self::$operation,)+];

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$operation => $name,)+
                }
            }
        }
    };
}

operations! {
    ListNamespaces "list_namespaces",
    GetNamespace "get_namespace",
    CreateNamespace "create_namespace",
    ChangeNamespace "change_namespace",
    DeleteNamespace "delete_namespace",
    GetEntry "get_entry",
    HeadEntry "head_entry",
    PutEntry "put_entry",
    DeleteEntry "delete_entry",
    Explain "explain",
    GetMany "get_many",
    PutMany "put_many",
    Invalidate "invalidate",
    Clear "clear",
    GetStats "get_stats",
    ListStats "list_stats",
    StartAnalysis "start_analysis",
    GetAnalysis "get_analysis",
    CancelAnalysis "cancel_analysis",
    Run "run",
    Pause "pause",
    Resume "resume",
    Reload "reload",
    Health "health",
    Ready "ready",
    Version "version",
    OpenApi "openapi",
    Metrics "metrics",
    Dashboard "dashboard",
}

/// What a client must be allowed for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// Nothing, not even a token.
    Nothing,
    /// A token that is worth something. What is told depends on what its holder may see.
    Token,
    /// To see the path's namespace: to be allowed anything there.
    Sight,
    /// This, on the path's namespace.
    OfNamespace(Right),
    /// This, by a grant on everything.
    OfAll(Right),
}

/// Everything there is.
pub(super) const PATHS: &[Path] = &[
    at("/v1/namespaces", &[(Method::GET, Operation::ListNamespaces)]),
    at(
        "/v1/namespaces/{ns}",
        &[
            (Method::GET, Operation::GetNamespace),
            (Method::PUT, Operation::CreateNamespace),
            (Method::PATCH, Operation::ChangeNamespace),
            (Method::DELETE, Operation::DeleteNamespace),
        ],
    ),
    at(
        "/v1/namespaces/{ns}/entries/{key}",
        &[
            (Method::GET, Operation::GetEntry),
            (Method::HEAD, Operation::HeadEntry),
            (Method::PUT, Operation::PutEntry),
            (Method::DELETE, Operation::DeleteEntry),
        ],
    ),
    at("/v1/namespaces/{ns}/explain/{key}", &[(Method::GET, Operation::Explain)]),
    at("/v1/namespaces/{ns}/batch/get", &[(Method::POST, Operation::GetMany)]),
    at("/v1/namespaces/{ns}/batch/put", &[(Method::POST, Operation::PutMany)]),
    at("/v1/namespaces/{ns}/invalidate", &[(Method::POST, Operation::Invalidate)]),
    at("/v1/namespaces/{ns}/clear", &[(Method::POST, Operation::Clear)]),
    at("/v1/namespaces/{ns}/stats", &[(Method::GET, Operation::GetStats)]),
    at("/v1/stats", &[(Method::GET, Operation::ListStats)]),
    at(
        "/v1/namespaces/{ns}/analysis",
        &[
            (Method::POST, Operation::StartAnalysis),
            (Method::GET, Operation::GetAnalysis),
            (Method::DELETE, Operation::CancelAnalysis),
        ],
    ),
    at("/v1/namespaces/{ns}/run", &[(Method::POST, Operation::Run)]),
    at("/v1/namespaces/{ns}/pause", &[(Method::POST, Operation::Pause)]),
    at("/v1/namespaces/{ns}/resume", &[(Method::POST, Operation::Resume)]),
    at("/v1/reload", &[(Method::POST, Operation::Reload)]),
    at("/v1/health", &[(Method::GET, Operation::Health)]),
    at("/v1/ready", &[(Method::GET, Operation::Ready)]),
    at("/v1/version", &[(Method::GET, Operation::Version)]),
    at("/v1/openapi.json", &[(Method::GET, Operation::OpenApi)]),
    at("/metrics", &[(Method::GET, Operation::Metrics)]),
    at("/", &[(Method::GET, Operation::Dashboard)]),
];

const fn at(template: &'static str, operations: &'static [(Method, Operation)]) -> Path {
    Path { template, operations }
}

impl Path {
    /// What `method` does here. HEAD does as GET where it has no meaning of its own; the server leaves the body out.
    pub(super) fn operation(&self, method: &Method) -> Option<Operation> {
        let find = |wanted: &Method| {
            let mut operations = self.operations.iter();
            operations.find(|(method, _)| method == wanted).map(|(_, operation)| *operation)
        };
        find(method).or_else(|| find(&Method::GET).filter(|_| method == Method::HEAD))
    }

    /// The methods that are known here, as the header `Allow` lists them.
    pub(super) fn allow(&self) -> String {
        let knows = |method: &Method| self.operation(method).is_some();
        let mut methods: Vec<&str> =
            self.operations.iter().map(|(method, _)| method.as_str()).collect();
        if knows(&Method::HEAD) && !methods.contains(&"HEAD") {
            methods.push("HEAD");
        }
        methods.join(", ")
    }
}

impl Operation {
    /// What it asks of a client. What is not here does not compile.
    pub(super) fn need(self) -> Need {
        match self {
            Self::Health | Self::Dashboard => Need::Nothing,
            Self::ListNamespaces | Self::ListStats | Self::OpenApi => Need::Token,
            Self::GetNamespace => Need::Sight,
            Self::GetEntry | Self::HeadEntry | Self::GetMany | Self::Explain => {
                Need::OfNamespace(Right::Read)
            }
            Self::PutEntry | Self::PutMany => Need::OfNamespace(Right::Write),
            Self::DeleteEntry | Self::Invalidate => Need::OfNamespace(Right::Invalidate),
            Self::Clear => Need::OfNamespace(Right::Clear),
            Self::GetStats => Need::OfNamespace(Right::Stats),
            Self::Run | Self::Pause | Self::Resume => Need::OfNamespace(Right::Maintain),
            Self::CreateNamespace | Self::ChangeNamespace | Self::DeleteNamespace => {
                Need::OfNamespace(Right::Administer)
            }
            // They tell keys, to whoever knows none.
            Self::StartAnalysis | Self::GetAnalysis | Self::CancelAnalysis => {
                Need::OfNamespace(Right::Administer)
            }
            Self::Ready | Self::Version | Self::Metrics => Need::OfAll(Right::Stats),
            Self::Reload => Need::OfAll(Right::Administer),
        }
    }

    /// Whether the audit log tells of it: what changes a namespace, upkeep, or many entries at once.
    pub(super) fn is_audited(self) -> bool {
        match self {
            Self::CreateNamespace
            | Self::ChangeNamespace
            | Self::DeleteNamespace
            | Self::Invalidate
            | Self::Clear
            | Self::StartAnalysis
            | Self::CancelAnalysis
            | Self::Run
            | Self::Pause
            | Self::Resume
            | Self::Reload => true,
            Self::ListNamespaces
            | Self::GetNamespace
            | Self::GetEntry
            | Self::HeadEntry
            | Self::PutEntry
            | Self::DeleteEntry
            | Self::GetMany
            | Self::PutMany
            | Self::Explain
            | Self::GetStats
            | Self::ListStats
            | Self::GetAnalysis
            | Self::Metrics
            | Self::Dashboard
            | Self::Health
            | Self::Ready
            | Self::Version
            | Self::OpenApi => false,
        }
    }

    /// The parameters of its query.
    pub(super) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::PutEntry => &["ttl"],
            Self::Run => &["timeout"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::OPENAPI;
    use super::*;

    #[test]
    fn the_document_describes_the_operations_that_there_are() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys().filter(|name| *name != "parameters");
            methods.map(|method| (path.clone(), method.to_uppercase()))
        });
        let there = PATHS.iter().flat_map(|path| {
            let operations = path.operations.iter();
            operations.map(|(method, _)| (path.template.to_owned(), method.to_string()))
        });
        assert_eq!(described.collect::<BTreeSet<_>>(), there.collect());
    }

    #[test]
    fn what_is_about_a_namespace_asks_for_something_there() {
        for path in PATHS {
            for (method, operation) in path.operations {
                let has_namespace = path.template.contains("{ns}");
                let is_of_one = matches!(operation.need(), Need::Sight | Need::OfNamespace(_));
                assert_eq!(is_of_one, has_namespace, "{method} {}", path.template);
            }
        }
    }

    #[test]
    fn no_get_changes_anything() {
        let changes = |right| !matches!(right, Right::Read | Right::Stats);
        for path in PATHS {
            let reads = path.operations.iter().filter(|(method, _)| method.is_safe());
            for (method, operation) in reads {
                let (Need::OfNamespace(right) | Need::OfAll(right)) = operation.need() else {
                    continue;
                };
                // It only tells, but keys.
                let is_fine = !changes(right) || *operation == Operation::GetAnalysis;
                assert!(is_fine, "{method} {}", path.template);
            }
        }
    }

    #[test]
    fn two_paths_need_no_token() {
        let operations = PATHS.iter().flat_map(|path| path.operations);
        let open = operations.filter(|(_, operation)| operation.need() == Need::Nothing);
        let open: Vec<Operation> = open.map(|(_, operation)| *operation).collect();
        assert_eq!(open, [Operation::Health, Operation::Dashboard]);
    }

    #[test]
    fn head_is_get_without_a_meaning_of_its_own() {
        let check = |template: &str, allow: &str| {
            let path = PATHS.iter().find(|path| path.template == template).unwrap();
            assert_eq!(path.allow(), allow, "{template}");
        };
        check("/v1/health", "GET, HEAD");
        check("/v1/reload", "POST");
        check("/v1/namespaces/{ns}/explain/{key}", "GET, HEAD");
        check("/v1/namespaces/{ns}/entries/{key}", "GET, HEAD, PUT, DELETE");
        check("/v1/namespaces/{ns}", "GET, PUT, PATCH, DELETE, HEAD");
    }
}
