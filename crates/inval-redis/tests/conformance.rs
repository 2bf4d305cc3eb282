//! The store on Redis and on Valkey, in one partition and in three, passes the suite that every store has to
//! pass.
#![cfg(test)]

mod support {
    pub(crate) mod patience;
    pub(crate) mod site;
}

mod suite {
    mod managed;
    mod harness;

    mod on_redis {
        use super::harness::{Flavoured, Outcomes, run};
        use crate::support::site::world;

        static OUTCOMES: Outcomes = Outcomes::new(|| run(Some(Flavoured::new(world(), 1))));

        fn pass(check: &str) {
            OUTCOMES.assert(check);
        }

        inval_core::conformance_tests!(pass);
    }

    mod on_redis_in_three_partitions {
        use super::harness::{Flavoured, Outcomes, run};
        use crate::support::site::world;

        static OUTCOMES: Outcomes = Outcomes::new(|| run(Some(Flavoured::new(world(), 3))));

        fn pass(check: &str) {
            OUTCOMES.assert(check);
        }

        inval_core::conformance_tests!(pass);
    }

    mod on_valkey {
        use super::harness::{Flavoured, Outcomes, run};
        use crate::support::site::valkey_world;

        static OUTCOMES: Outcomes =
            Outcomes::new(|| run(valkey_world().map(|server| Flavoured::new(server, 1))));

        fn pass(check: &str) {
            OUTCOMES.assert(check);
        }

        inval_core::conformance_tests!(pass);
    }

    mod on_valkey_in_three_partitions {
        use super::harness::{Flavoured, Outcomes, run};
        use crate::support::site::valkey_world;

        static OUTCOMES: Outcomes =
            Outcomes::new(|| run(valkey_world().map(|server| Flavoured::new(server, 3))));

        fn pass(check: &str) {
            OUTCOMES.assert(check);
        }

        inval_core::conformance_tests!(pass);
    }
}
