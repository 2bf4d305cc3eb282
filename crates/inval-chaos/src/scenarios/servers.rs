//! Servers that die, come back with or without their data, and are replaced.

use std::time::Duration;

use anyhow::Result;
use inval_test_servers::{ADMIN, Fault, Server};

use crate::site::Topology;
use crate::stage::Stage;

/// How long a failover may take. Sentinels may let a master that has come back wait for long until they make it a replica.
const FAILOVER: Duration = Duration::from_secs(90);
/// For how long a replica gets nothing before its master dies: below what makes the master count as down.
const LAG: Duration = Duration::from_millis(500);

pub(super) fn restarted_empty(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(300, 1500);
        stage.losing(restart_one)?;
    }
    Ok(())
}

pub(super) fn restarted_with_data(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(300, 1500);
        stage.count();
        restart_one(stage)?;
    }
    Ok(())
}

fn restart_one(stage: &mut Stage) -> Result<()> {
    let servers = stage.site.nodes();
    let one = stage.rng.usize(0..servers.len());
    Ok(servers[one].restart()?)
}

/// What the master acknowledged last is held back on its way to the replica, and lost with the master.
pub(super) fn failover_with_lost_writes(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(1000, 2000);
        let site = std::sync::Arc::clone(&stage.site);
        let masters = site.masters();
        let master = masters[stage.rng.usize(0..masters.len())];
        stage.undoing(|stage| {
            stage.site.inflict(ADMIN, Fault::Stall);
            std::thread::sleep(LAG);
            master.kill()?;
            stage.site.inflict(ADMIN, Fault::Reset);
            stage.site.lift(ADMIN);
            wait_for_successor(stage, master)?;
            master.restart()?;
            wait_until_replica(stage, master)
        })?;
    }
    Ok(())
}

pub(super) fn master_stopped(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        stage.go_on(500, 1500);
        let site = std::sync::Arc::clone(&stage.site);
        let masters = site.masters();
        let master = masters[stage.rng.usize(0..masters.len())];
        stage.undoing(|stage| {
            master.pause()?;
            wait_for_successor(stage, master)?;
            master.resume()?;
            wait_until_replica(stage, master)
        })?;
    }
    Ok(())
}

/// Waits until another server has the place of this one, in the eyes of all who are asked.
fn wait_for_successor(stage: &Stage, previous: &Server) -> Result<()> {
    let site = &stage.site;
    if site.topology == Topology::Sentinel {
        site.sentinel()?.wait_for_failover(previous)?;
        return Ok(());
    }
    let others = || site.nodes().iter().filter(|node| node.port() != previous.port());
    let number = site.nodes().iter().position(|node| node.port() == previous.port());
    stage.until("another node has the slots of a dead one", FAILOVER, |_| {
        let Some(number) = number else { return false };
        others().all(|node| has_no_slots(site.cluster().ok(), number, node))
    })
}

/// Whether a node holds another for a master with slots no longer.
fn has_no_slots(cluster: Option<&inval_test_servers::Cluster>, number: usize, by: &Server) -> bool {
    let Some(id) = cluster.map(|cluster| cluster.id(number)) else { return false };
    let Ok(reply) = by.command(&["CLUSTER", "NODES"]) else { return false };
    let Some(table) = reply.text() else { return false };
    let is_ok = |node: &Server| {
        node.command(&["CLUSTER", "INFO"])
            .is_ok_and(|reply| reply.text().is_some_and(|info| info.contains("cluster_state:ok")))
    };
    // `<id> <address> <flags> <master> <ping> <pong> <epoch> <link> <slot> …`
    let line = table.lines().find(|line| line.starts_with(id));
    line.is_some_and(|line| line.split(' ').nth(8).is_none()) && is_ok(by)
}

/// Waits until a server that was replaced has found out.
fn wait_until_replica(stage: &Stage, server: &Server) -> Result<()> {
    stage.until("a master that was replaced becomes a replica", FAILOVER, |_| {
        server.info("replication").is_ok_and(|info| {
            info.get("role").is_some_and(|role| role == "slave")
                && info.get("master_link_status").is_some_and(|status| status == "up")
        })
    })
}
