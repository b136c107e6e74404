//! The line fails.

use std::thread;
use std::time::Duration;

use super::emitter::wait_for_fates;
use super::kills::assert_received_adds_up;
use super::lab::Lab;
use super::proxy::Fault;

/// A black hole, a reset, a slow line and a half-closed one: whoever reports goes on, and catches up.
#[test]
fn whatever_the_line_does_everything_arrives_once() {
    let mut lab = Lab::new();
    lab.start_emitter();
    wait_for_fates(&lab.emitter_data(), 20);
    for fault in [
        Fault::Reset,
        Fault::HalfClose,
        Fault::Delay(Duration::from_millis(200)),
        Fault::Drip(Duration::from_millis(1)),
        Fault::BlackHole,
    ] {
        lab.proxy.always(fault);
        thread::sleep(Duration::from_secs(2));
        assert!(lab.proxy.count(fault) > 0, "{fault:?}");
        lab.proxy.always(Fault::None);
        wait_for_fates(&lab.emitter_data(), 20);
    }
    lab.finish_emitter();
    assert_received_adds_up(&lab);
    lab.end();
    let balance = lab
        .ledger_of(&lab.emitter_data())
        .balance(&lab.emitter_data());
    assert_eq!(
        (balance.dropped, balance.quarantined),
        (0, 0),
        "{balance:?}"
    );
}
