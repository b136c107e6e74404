//! Disks that are full, on either side.

use std::thread;
use std::time::Duration;

use bwmon_core::report::DropReason;
use bwmon_core::testkit::namespace::{self, sh};

use super::emitter::wait_for_fates;
use super::lab::Lab;
use super::proxy::Fault;
use super::scale;
use super::support::wait::wait_for;

/// What does not fit in the emitter's disk and memory is named, and all else arrives.
#[test]
fn a_full_disk_of_the_agent_loses_only_what_it_names() {
    namespace::in_network(
        "disks::a_full_disk_of_the_agent_loses_only_what_it_names",
        || {
            let lab = Lab::without_collector();
            let spool = lab.emitter_data().join("spool");
            std::fs::create_dir(&spool).unwrap();
            sh(&format!(
                "mount -t tmpfs -o size=1m none {}",
                spool.display()
            ));
            let mut lab = lab.with_collector();
            lab.proxy.always(Fault::Reset);
            lab.start_emitter();
            let is_full = || {
                let free = rustix::fs::statvfs(&spool).unwrap();
                (free.f_bavail < 8).then_some(())
            };
            wait_for("the disk to be full", is_full);
            thread::sleep(Duration::from_secs(scale::of("BWMON_SOAK_FULL_S", 5, 60)));
            lab.proxy.always(Fault::None);
            wait_for_fates(&lab.emitter_data(), 200);
            let balance = lab.settle();
            scale::say(&format!("full disk of the agent: {balance:?}"));
            sh(&format!("umount {}", spool.display()));
        },
    );
}

/// The collector says that it cannot store, the emitter keeps everything, and it goes on by itself once
/// there is room.
#[test]
fn a_full_disk_of_the_collector_loses_nothing() {
    namespace::in_network("disks::a_full_disk_of_the_collector_loses_nothing", || {
        let lab = Lab::without_collector();
        let data = lab.collector_data();
        sh(&format!(
            "mount -t tmpfs -o size=4m none {}",
            data.display()
        ));
        let mut lab = lab.with_collector();
        lab.start_emitter();
        wait_for("the store to have no room", || {
            let turned_away = lab.metric("bwmon_collector_records_handed_back_total");
            (turned_away > 2.0).then_some(())
        });
        assert_eq!(
            ureq::get(format!("http://{}/api/v1/hosts", lab.listen()))
                .call()
                .unwrap()
                .status(),
            200,
            "what is stored can be read"
        );
        thread::sleep(Duration::from_secs(scale::of("BWMON_SOAK_FULL_S", 3, 60)));
        sh(&format!("mount -o remount,size=256m {}", data.display()));
        wait_for_fates(&lab.emitter_data(), 100);
        let balance = lab.settle();
        balance.assert_nothing_lost();
        scale::say(&format!("full disk of the collector: {balance:?}"));
        // This process keeps the database's file open, because of its locks.
        sh(&format!("umount --lazy {}", data.display()));
    });
}

/// A spool with little room gives up the oldest flow rows, then the oldest reports, and names them.
#[test]
fn a_small_spool_names_what_it_gives_up() {
    let mut lab = Lab::new().with_spool_of(256 << 10);
    lab.proxy.always(Fault::Reset);
    lab.start_emitter();
    thread::sleep(Duration::from_secs(scale::of("BWMON_SOAK_FULL_S", 25, 120)));
    lab.proxy.always(Fault::None);
    wait_for_fates(&lab.emitter_data(), 200);
    let balance = lab.settle();
    let reasons = lab.ledger_of(&lab.emitter_data()).given_up();
    let is_full = |reason: &(u64, u64, DropReason)| reason.2 == DropReason::SpoolFull;
    assert!(
        !reasons.is_empty() && reasons.iter().all(is_full),
        "{reasons:?}"
    );
    assert!(balance.dropped > 0, "{balance:?}");
    scale::say(&format!("small spool: {balance:?}"));
}
