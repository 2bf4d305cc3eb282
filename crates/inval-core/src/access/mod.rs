//! Who may do what: principals have roles, roles have grants, and one function decides.
//!
//! ```
//! use inval_core::access::{Operation, Principal, Role, Scope};
//!
//! let shop = Role::new("shop".parse()?, ["allow read,write shop-*".parse()?]);
//! let alice = Principal::new("alice".parse()?, [shop.into()]);
//! assert!(alice.decide(Operation::Read, Scope::Namespace("shop-carts")).is_allowed());
//! let decision = alice.decide(Operation::Clear, Scope::Namespace("shop-carts"));
//! assert_eq!(decision.to_string(), "no grant allows clear");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod operation;
mod pattern;
mod grant;
mod name;
mod principal;
mod guard;

pub use grant::{Effect, Grant, GrantError};
pub use guard::{Guard, GuardError};
pub use name::{Name, NameError};
pub use operation::{Operation, Operations, UnknownOperation};
pub use pattern::{Pattern, PatternError};
pub use principal::{Decision, Principal, Role, Scope};
