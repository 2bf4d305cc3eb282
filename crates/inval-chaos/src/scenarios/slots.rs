//! Slots of a Cluster that move while clients write.

use std::sync::Arc;

use anyhow::Result;

use crate::load::{ROOMY, TIGHT};
use crate::stage::Stage;

/// How many masters there are.
const MASTERS: usize = 3;

pub(super) fn moved(stage: &mut Stage) -> Result<()> {
    let site = Arc::clone(&stage.site);
    let cluster = site.cluster()?;
    while stage.is_on() {
        let namespace = stage.any(&[ROOMY, TIGHT]).parse()?;
        let partition = stage.rng.u32(0..site.topology.partitions());
        let slot = site.slot_of(&namespace, partition)?;
        let from = cluster.owner(slot)?;
        let to = (from + stage.rng.usize(1..MASTERS)) % MASTERS;
        stage.count();
        cluster.open_slot(slot, from, to)?;
        stage.go_on(0, 200);
        cluster.move_keys(slot, from, to)?;
        stage.go_on(0, 100);
        // What was written meanwhile stayed behind.
        cluster.move_keys(slot, from, to)?;
        cluster.settle_slot(slot, to)?;
        stage.go_on(50, 400);
    }
    Ok(())
}
