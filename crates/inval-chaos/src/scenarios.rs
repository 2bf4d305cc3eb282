//! What is broken, where, and what may come of it: the table of scenarios.

mod servers;
mod slots;
mod managers;
mod network;
mod strangers;
mod memory;
mod time;
mod scale;

use std::time::Duration;

use anyhow::Result;

use crate::check::Keeps;
use crate::daemon::Duties;
use crate::load::Pace;
use crate::site::{Needs, Topology};
use crate::stage::Stage;

/// One way to break things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it does, in the report.
    pub(crate) does: &'static str,
    /// Where it makes sense; the short form takes one of them.
    pub(crate) sites: &'static [Topology],
    pub(crate) needs: Needs,
    pub(crate) duties: Duties,
    pub(crate) pace: Pace,
    /// Whether the server itself may evict, so that nothing is sure to be there.
    pub(crate) server_evicts: bool,
    /// Whether servers forget when entries were accessed, as where these move or are loaded.
    pub(crate) accesses_are_forgotten: bool,
    /// Whether daemons cannot write what they log.
    pub(crate) disk_is_full: bool,
    /// How long it takes at the least in the long form.
    pub(crate) least_time: Duration,
    pub(crate) run: fn(&mut Stage) -> Result<()>,
}

/// How many namespaces there are besides in the short form.
pub(crate) const SHORT_NAMESPACES: u32 = 100;

const EVERYWHERE: &[Topology] = &Topology::ALL;
const REPLICATED: &[Topology] = &[Topology::Sentinel, Topology::Cluster];
const UNWATCHED: &[Topology] = &[Topology::Single, Topology::Cluster];
const CLUSTER: &[Topology] = &[Topology::Cluster];
const SINGLE: &[Topology] = &[Topology::Single];

impl Scenario {
    const fn new(
        name: &'static str,
        does: &'static str,
        sites: &'static [Topology],
        run: fn(&mut Stage) -> Result<()>,
    ) -> Self {
        Self {
            name,
            does,
            sites,
            needs: Needs { is_durable: false, has_clocks: false, is_without_replicas: false },
            duties: Duties::few(),
            pace: Pace::steady(),
            server_evicts: false,
            accesses_are_forgotten: false,
            disk_is_full: false,
            least_time: Duration::ZERO,
            run,
        }
    }

    const fn without_replicas(mut self) -> Self {
        self.needs.is_without_replicas = true;
        self
    }

    const fn durable(mut self) -> Self {
        self.needs.is_durable = true;
        self.accesses_are_forgotten = true;
        self
    }

    /// What the tight namespace promises of entries that are read all the while, besides what all do.
    pub(crate) fn tight_keeps(&self) -> Keeps {
        let is_forgetful = self.server_evicts || self.accesses_are_forgotten;
        if is_forgetful { Keeps::Nothing } else { Keeps::WhatIsHot(Duration::from_secs(1)) }
    }

    pub(crate) fn roomy_keeps(&self) -> Keeps {
        if self.server_evicts { Keeps::Nothing } else { Keeps::Everything }
    }
}

/// All scenarios, in the order of the report.
pub(crate) fn all() -> Vec<Scenario> {
    let new = Scenario::new;
    vec![
        new("calm", "nothing is broken", EVERYWHERE, calm),
        new(
            "restarted-empty",
            "a server is killed and comes back without its data",
            EVERYWHERE,
            servers::restarted_empty,
        )
        .without_replicas(),
        new(
            "restarted-with-data",
            "a server is killed and comes back with all that it acknowledged",
            EVERYWHERE,
            servers::restarted_with_data,
        )
        .durable()
        .without_replicas(),
        new(
            "failover-with-lost-writes",
            "a master dies before its replica has the last writes",
            REPLICATED,
            servers::failover_with_lost_writes,
        ),
        new(
            "master-stopped",
            "a master stands still until another has its place, and goes on",
            REPLICATED,
            servers::master_stopped,
        ),
        Scenario {
            accesses_are_forgotten: true,
            ..new("slots-moved", "slots move while clients write", CLUSTER, slots::moved)
        },
        new(
            "manager-killed",
            "managers are killed at any moment, right after the start too",
            EVERYWHERE,
            managers::killed,
        ),
        new(
            "manager-stopped",
            "of two managers one stands still beyond its lease and goes on",
            EVERYWHERE,
            managers::stopped,
        ),
        Scenario {
            duties: Duties { journal_cap: 1500, ..Duties::few() },
            ..new(
                "no-manager",
                "no manager is there until journals are full",
                EVERYWHERE,
                managers::absent,
            )
        },
        new(
            "clients-cut",
            "connections of clients and managers are cut, in the midst of commands and answers too",
            EVERYWHERE,
            network::cut,
        ),
        new(
            "client-partitioned",
            "one client or manager is delayed, slowed down, stalled or cut off",
            EVERYWHERE,
            network::partitioned,
        ),
        new("flushed", "FLUSHALL", EVERYWHERE, strangers::flushed),
        new(
            "strangers",
            "others write, delete, expire and retype entries, and write to journals",
            EVERYWHERE,
            strangers::meddling,
        ),
        new("scripts-flushed", "SCRIPT FLUSH", EVERYWHERE, strangers::scripts_flushed),
        new("memory-full", "maxmemory is reached under noeviction", EVERYWHERE, memory::full),
        Scenario {
            server_evicts: true,
            ..new(
                "server-evicts",
                "maxmemory is reached under each policy that evicts",
                EVERYWHERE,
                memory::server_evicts,
            )
        },
        Scenario {
            disk_is_full: true,
            ..new(
                "disk-full",
                "servers cannot save, daemons cannot write their log",
                // Sentinels take a master that cannot save for one that is down, which is another scenario.
                UNWATCHED,
                memory::disk_full,
            )
        },
        new(
            "server-blocked",
            "a server is blocked for up to two seconds",
            EVERYWHERE,
            time::blocked,
        ),
        Scenario {
            needs: Needs { has_clocks: true, is_durable: false, is_without_replicas: false },
            pace: Pace { clocks_jump: true, ..Pace::steady() },
            ..new(
                "clocks-jump",
                "clocks of servers and managers jump ahead and back, up to a day",
                EVERYWHERE,
                time::clocks_jump,
            )
        },
        new(
            "million-expire",
            "a million entries expire at once (twenty thousand in the short form)",
            EVERYWHERE,
            scale::million_expire,
        ),
        Scenario {
            duties: Duties { namespaces: scale::NAMESPACES, times: scale::TIMES, ..Duties::few() },
            ..new(
                "many-namespaces",
                "ten thousand namespaces (a hundred in the short form), whose manager is killed",
                SINGLE,
                scale::many_namespaces,
            )
        },
        Scenario {
            pace: Pace { pause: Duration::ZERO, one_in: 20, ..Pace::steady() },
            least_time: scale::SOAK,
            ..new(
                "soak",
                "full speed, with memory of daemons and servers flat",
                EVERYWHERE,
                scale::soak,
            )
        },
    ]
}

fn calm(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(100, 100);
    }
    Ok(())
}
