//! The one table of all fields: file, variables, example and documentation follow it.

use std::ops::Bound::{self, Excluded, Included};
use std::ops::{RangeFrom, RangeInclusive};
use std::time::Duration;

use inval_replay::ByteSize;

use super::field::{Field, fields};
use super::namespaces::Draft;
use super::settings::Settings;
use super::value::{Value, describe, within};

/// A section of the file.
pub(super) struct Section {
    /// Empty for the beginning of the file.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

/// The sections outside the namespaces.
pub(super) const SECTIONS: [Section; 5] = [
    Section { name: "", help: "Where the namespaces are kept" },
    Section { name: "http", help: "Where requests come in" },
    Section {
        name: "access",
        help: "Who may do what; without tokens whoever reaches the daemon can do everything",
    },
    Section { name: "manager", help: "How upkeep is paced; the defaults of all namespaces" },
    Section { name: "redis", help: "How a store on Redis or Valkey is reached and looked after" },
];

/// The section that holds one for each namespace.
pub(super) const NAMESPACES: &str = "namespaces";

/// The section that holds one for each role, what it is for, and the one field there with an example.
pub(super) const ROLES: &str = "access.roles";
pub(super) const ROLES_HELP: &str = "What holders of a token with the role may do: each grant allows or denies operations (read, write, invalidate, \
     clear, maintain, stats, administer, or all) on namespaces (a name, a beginning as shop-*, or *). A denial wins; \
     what no grant allows is denied";
pub(super) const GRANTS: (&str, &str) =
    ("grants", "[\"allow read,write shop-*\", \"deny clear *\"]");

/// The sections of one namespace.
pub(super) const NAMESPACE_SECTIONS: [Section; 2] = [
    Section { name: "", help: "What a namespace keeps to; it needs a limit or a lifetime" },
    Section {
        name: "manager",
        help: "How this namespace is paced otherwise than [manager] says; what is left out is as there, or \
               lower where what is set asks for it",
    },
];

const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
/// What takes time.
const SOME_TIME: (Bound<Duration>, Bound<Duration>) = (Excluded(Duration::ZERO), Included(HOUR));
/// What is waited for with a timer.
const WAIT: RangeInclusive<Duration> = MILLI..=HOUR;
const SHARE: (Bound<f64>, Bound<f64>) = (Excluded(0.0), Included(1.0));
const COUNT: RangeFrom<u32> = 1..;
/// A value on a server has at most so many bytes.
const MOST_BODY: ByteSize = ByteSize(512 << 20);

/// What can be said once.
pub(super) const FIELDS: &[Field<Settings>] = fields! {
    "store" => store,
        "memory: for the daemon's own, or a server: redis://, rediss://, unix://, redis+cluster:// or \
         redis+sentinel://";
    "store_credentials" => store_credentials {"\"env\""},
        "User and password for the server: env for INVAL_REDIS_USER and INVAL_REDIS_PASSWORD, or a file that \
         holds them in two lines, or the password alone in one; left out, those in the URL";

    "http.listen" => http.listen, "Address and port of the HTTP interface";
    "http.max_body" => http.max_body [ByteSize(1)..=MOST_BODY], "The most bytes a request's body may have";
    "http.request_timeout" => http.request_timeout [SOME_TIME], "How long a request may take";
    "http.drain_timeout" => http.drain_timeout [..=HOUR],
        "How long a shutdown waits for requests under way";
    "http.allow_open" => http.allow_open,
        "Whether it may listen beyond this machine although there are no tokens";
    "http.allow_plaintext" => http.allow_plaintext,
        "Whether it may listen beyond this machine although tokens come in clear text; for a proxy that speaks TLS \
         before it";

    "access.tokens" => access.tokens {"\"/etc/inval/tokens.json\""},
        "The file of tokens, which inval token writes; a reload reads it again";

    "http.tls_certificate" => http.tls_certificate {"\"/etc/inval/server.pem\""},
        "A PEM file with the certificate to serve HTTPS by, and those that vouch for it; left out, HTTP";
    "http.tls_key" => http.tls_key {"\"/etc/inval/server.key\""},
        "A PEM file with the key of tls_certificate";
    "http.client_ca" => http.client_ca {"\"/etc/inval/clients.pem\""},
        "A PEM file of certificates; a client must show one that they have signed";

    "manager.max_lag" => pacing.max_lag [SOME_TIME],
        "What has expired, or is above a limit, is off the books within this time";
    "manager.min_interval" => pacing.min_interval [WAIT],
        "The shortest time between two slices of a partition; at most max_interval";
    "manager.max_interval" => pacing.max_interval [SOME_TIME],
        "The longest time between two slices of a partition; at most half of max_lag";
    "manager.duty_cycle" => pacing.duty_cycle [SHARE],
        "The share of a server's time for upkeep that is not urgent; at most urgent_duty_cycle";
    "manager.urgent_duty_cycle" => pacing.urgent_duty_cycle [SHARE],
        "The share of a server's time for all upkeep, urgent when above a limit or late";
    "manager.least_batch" => pacing.least_batch [1_u64..],
        "How many entries make a slice worth its cost, though fewer do not wait long; at most most_batch";
    "manager.most_batch" => pacing.most_batch [1_u64..], "The most entries of a slice";
    "manager.retry_interval" => pacing.retry_interval [WAIT],
        "The pause after the first slice that failed; at most longest_retry";
    "manager.longest_retry" => pacing.longest_retry [SOME_TIME],
        "The longest pause after many slices that failed";
    "manager.stats_age" => stats_age [..=HOUR], "How old statistics may be that are shown";
    "manager.removal_memory" => removal_memory [..=1_000_000_u32],
        "How many removals of each namespace are remembered, to explain where an entry went; 0 for none";
    "manager.slice_time" => slice_time [SOME_TIME], "How long one slice of upkeep may take";

    "redis.lease" => redis.engine.lease [Duration::from_millis(100)..=HOUR],
        "How long a manager that died keeps its right to work: it is replaced after this time";
    "redis.drain_interval" => redis.engine.drain_interval [SOME_TIME],
        "The pause between two reads of a journal with records in it; at most idle_interval";
    "redis.idle_interval" => redis.engine.idle_interval [SOME_TIME],
        "The longest pause between two reads of a journal; longer ones spare a server with thousands of namespaces";
    "redis.retry_interval" => redis.engine.retry_interval [SOME_TIME],
        "The pause before a request of the manager that failed is made again";
    "redis.script_budget" => redis.engine.script_budget [Duration::from_micros(10)..=Duration::from_secs(1)],
        "How long a script may hold the server";
    "redis.drain_batch" => redis.engine.drain_batch [COUNT],
        "The most records read from a journal at once";
    "redis.scrub_interval" => redis.engine.scrub_interval [SOME_TIME],
        "The pause between two pages of the scrub, which compares the books with the server; up to 64 times as long while the server's pages hold nothing of the namespace";
    "redis.scan_count" => redis.engine.scan_count [COUNT],
        "About how many names the server goes through for a page of a scan";
    "redis.headroom" => redis.engine.headroom [0.0..1.0],
        "The share of each limit that is kept free for writes not yet on the books";
    "redis.journal_cap" => redis.journal_cap [1_u64..],
        "The most records a journal may have before it is dropped; the same in all clients";
    "redis.connect_timeout" => redis.connect_timeout [WAIT],
        "How long making a connection may take";
    "redis.response_timeout" => redis.response_timeout [WAIT],
        "How long a reply may take; at most overall_timeout";
    "redis.overall_timeout" => redis.overall_timeout [WAIT],
        "How long a call may take with all its retries";
    "redis.connections" => redis.connections [1_u32..=64], "Connections to each server, shared by all calls";
    "redis.sentinel_credentials" => redis.sentinel_credentials {"\"/etc/inval/sentinel\""},
        "User and password for the sentinels, if they ask for any, as store_credentials";
    "redis.ca_certificate" => redis.ca_certificate {"\"/etc/inval/ca.pem\""},
        "A PEM file of certificates to trust besides the public authorities";
    "redis.client_certificate" => redis.client_certificate {"\"/etc/inval/client.pem\""},
        "A PEM file with the certificate to show to a server that asks for one";
    "redis.client_key" => redis.client_key {"\"/etc/inval/client.key\""},
        "A PEM file with the key of client_certificate";
};

/// What can be said for each namespace.
pub(super) const NAMESPACE_FIELDS: &[Field<Draft>] = fields! {
    "strategy" => strategy,
        "Which entry goes first at a limit: ttl, fifo, lru, lfu, sieve, s3-fifo or w-tinylfu";
    "max_entries" => max_entries {"100000"}, "The most entries kept; left out, no such limit";
    "max_bytes" => max_bytes {"\"256 MiB\""}, "The most bytes kept, keys and values; left out, no such limit";
    "ttl" => ttl {"\"10m\""}, "How long an entry lives that names no TTL of its own; left out, for ever";
    "time_to_idle" => time_to_idle {"\"2m\""},
        "How long an entry lives since it was last read or written, below ttl; on a server only without ttl";
    "ttl_jitter" => ttl_jitter [0.0..1.0],
        "The share of each TTL of which a random part is cut off, so that not all expire at once";
    "partitions" => partitions {"4"},
        "Parts with a share of the limits each: partitions on a server, of which 1 to 16384 are possible and \
         1 is the default; shards in memory, 1 to 65536, by default as many as suit";
    "key_secret" => key_secret {"\"/etc/inval/users.key\""},
        "On a server, digests stand for keys: a file that holds the secret, 64 hexadecimal digits, or env: and the \
         name of a variable; cannot change but by old_key_secret";
    "old_key_secret" => old_key_secret {"\"env:OLD_KEY_SECRET\""},
        "The secret that key_secret takes the place of, while that lasts";
    "manager.max_lag" => pacing.max_lag [SOME_TIME], "As in [manager]";
    "manager.min_interval" => pacing.min_interval [WAIT], "As in [manager]";
    "manager.max_interval" => pacing.max_interval [SOME_TIME], "As in [manager]";
    "manager.least_batch" => pacing.least_batch [1_u64..], "As in [manager]";
    "manager.most_batch" => pacing.most_batch [1_u64..], "As in [manager]";
};
