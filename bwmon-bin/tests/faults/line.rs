//! The line fails.

use std::thread;
use std::time::Duration;

use super::emitter::wait_for_fates;
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
    let balance = lab.settle();
    balance.assert_nothing_lost();
}
