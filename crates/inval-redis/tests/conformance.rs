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
        fn pass(check: &str) {
            super::harness::assert_passed(0, check);
        }

        inval_core::conformance_tests!(pass);
    }

    mod on_redis_in_three_partitions {
        fn pass(check: &str) {
            super::harness::assert_passed(1, check);
        }

        inval_core::conformance_tests!(pass);
    }

    mod on_valkey {
        fn pass(check: &str) {
            super::harness::assert_passed(2, check);
        }

        inval_core::conformance_tests!(pass);
    }

    mod on_valkey_in_three_partitions {
        fn pass(check: &str) {
            super::harness::assert_passed(3, check);
        }

        inval_core::conformance_tests!(pass);
    }
}
