//! Memory and disks that are full.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use inval_test_servers::Server;

use crate::stage::Stage;

/// Policies by which a server evicts, whatever it is.
const POLICIES: [&str; 7] = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

pub(super) fn full(stage: &mut Stage) -> Result<()> {
    while stage.is_on() {
        limit_memory(stage, 300_000)?;
        stage.count();
        stage.go_on(300, 1200);
        lift_limit(stage)?;
        stage.go_on(100, 500);
    }
    Ok(())
}

pub(super) fn server_evicts(stage: &mut Stage) -> Result<()> {
    let policies = POLICIES.into_iter().cycle();
    for policy in policies {
        if !stage.is_on() {
            break;
        }
        stage.site.command_all(&["CONFIG", "SET", "maxmemory-policy", policy])?;
        limit_memory(stage, 150_000)?;
        stage.count();
        stage.go_on(400, 800);
        lift_limit(stage)?;
        stage.go_on(50, 200);
    }
    stage.site.command_all(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
}

/// Has every master be above its limit by so many bytes.
fn limit_memory(stage: &Stage, above: u64) -> Result<()> {
    for server in stage.site.masters() {
        let used: u64 =
            server.info("memory")?.get("used_memory").context("no used_memory")?.parse()?;
        let most = used.saturating_sub(above).max(1).to_string();
        ensure!(server.command(&["CONFIG", "SET", "maxmemory", &most])?.is_ok(), "no limit");
    }
    Ok(())
}

fn lift_limit(stage: &Stage) -> Result<()> {
    stage.site.command_all(&["CONFIG", "SET", "maxmemory", "0"])
}

/// A server that cannot save refuses writes; a directory in the place of its file is as bad as a full disk.
pub(super) fn disk_full(stage: &mut Stage) -> Result<()> {
    let site = Arc::clone(&stage.site);
    for server in site.nodes() {
        command(server, &["CONFIG", "SET", "save", "1000000 1"])?;
    }
    while stage.is_on() {
        for server in site.masters() {
            let file = server.directory().join("dump.rdb");
            let _may_not_be_there = fs::remove_file(&file);
            fs::create_dir(&file)?;
            save(stage, server, "err")?;
        }
        stage.count();
        stage.go_on(300, 1000);
        for server in site.masters() {
            let _may_not_be_there = fs::remove_dir(server.directory().join("dump.rdb"));
            save(stage, server, "ok")?;
        }
        stage.go_on(100, 400);
    }
    Ok(())
}

/// Has a server save, and waits until that has come to this.
fn save(stage: &Stage, server: &Server, status: &str) -> Result<()> {
    stage.until("a server has tried to save", Duration::from_secs(10), |_| {
        let _may_be_at_it = server.command(&["BGSAVE"]);
        server
            .info("persistence")
            .is_ok_and(|info| info.get("rdb_last_bgsave_status").is_some_and(|last| last == status))
    })
}

fn command(server: &Server, command: &[&str]) -> Result<()> {
    ensure!(server.command(command)?.is_ok(), "{} was refused", command[0]);
    Ok(())
}
