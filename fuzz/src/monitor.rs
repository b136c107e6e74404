//! Frames of all kinds through a monitor: whatever its bounds and whenever its windows end, every frame
//! and every byte is in exactly one class of one interval.
//!
//! The bytes are a recipe: the bounds, then frames, cuts and rotations.

use std::time::Duration;

use bwmon_core::frame::{Direction, Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::monitor::MonitorConfig;
use bwmon_core::report::{CaptureStatus, InterfaceFacts, Interval};
use bwmon_core::sample::{HostSample, InterfaceSample};
use bwmon_core::time::Timestamp;
use bwmon_core::{Monitor, Observer};

use super::link_layers::build;
use super::recipe::Recipe;

const INTERFACES: u8 = 3;
/// The one that does not say which way its frames go, as a capture file: of it only sums are known.
const UNDIRECTED: u8 = 2;
/// Longest recipe of one frame.
const FRAME_RECIPE: u8 = 64;

type PerInterface = [PerDirection<Tally>; INTERFACES as usize];

pub fn check(bytes: &[u8]) {
    let mut recipe = Recipe::new(bytes);
    let mut config = MonitorConfig::default();
    config.max_flows = usize::from(recipe.below(40));
    config.max_reported_flows = usize::from(recipe.below(40));
    let mut monitor = Monitor::new(config);
    let ids = (0..u32::from(INTERFACES)).map(InterfaceId).collect();
    monitor.set_capture(CaptureStatus::default(), ids);
    let mut fed = PerInterface::default();
    let mut told = PerInterface::default();
    let mut now = Timestamp::from_secs(1_000);
    while !recipe.is_at_end() {
        match recipe.below(8) {
            0 => collect(&mut monitor, now, &config, &mut told),
            1 => monitor.cut(now),
            _ => frame(&mut monitor, &mut recipe, now, &mut fed),
        }
        now = now.plus(Duration::from_millis(u64::from(recipe.byte())));
    }
    // What lies behind a cut is in the window after the open one.
    collect(&mut monitor, now, &config, &mut told);
    collect(&mut monitor, now, &config, &mut told);
    assert_eq!(told, fed);
}

fn frame(monitor: &mut Monitor, recipe: &mut Recipe<'_>, now: Timestamp, fed: &mut PerInterface) {
    let interface = recipe.below(INTERFACES);
    let direction = match interface {
        UNDIRECTED => Direction::Unknown,
        _ => recipe.choose(&[Direction::Ingress, Direction::Egress]),
    };
    let wire_len: u32 = recipe.number();
    let early: u16 = recipe.number();
    let length = recipe.below(FRAME_RECIPE);
    let bytes: Vec<u8> = (0..length).map(|_| recipe.byte()).collect();
    let built = build(&bytes);
    let frame = Frame {
        at: now.minus(Duration::from_micros(u64::from(early))),
        interface: InterfaceId(u32::from(interface)),
        direction,
        link: built.link,
        stripped_vlan: None,
        wire_len,
        bytes: &built.frame,
    };
    monitor.frame(frame);
    fed[usize::from(interface)].side(direction).count(wire_len);
}

/// Ends a window and adds up what it says, by two ways that must agree.
fn collect(monitor: &mut Monitor, now: Timestamp, config: &MonitorConfig, told: &mut PerInterface) {
    let facts = |id| InterfaceFacts {
        id: InterfaceId(id),
        name: format!("if{id}"),
        ..InterfaceFacts::default()
    };
    let sample = |id| InterfaceSample {
        facts: facts(id),
        ..InterfaceSample::default()
    };
    let interfaces = (0..u32::from(INTERFACES)).map(sample).collect();
    monitor.sample(
        now,
        HostSample {
            interfaces,
            ..HostSample::default()
        },
    );
    let interval = monitor.rotate(now, Duration::from_secs(1));
    assert!(interval.flows.len() <= config.max_flows.min(config.max_reported_flows));
    for (index, sum) in told.iter_mut().enumerate() {
        add(&interval, index, sum);
    }
}

fn add(interval: &Interval, index: usize, sum: &mut PerDirection<Tally>) {
    let interface = &interval.interfaces[index];
    let terms = interface
        .conservation
        .expect("a captured interface")
        .map(|side| side.terms);
    let mut captured = terms.map(|side| side.captured());
    if index == usize::from(UNDIRECTED) {
        captured.ingress.add(std::mem::take(&mut captured.egress));
    }
    sum.add(captured);
    let mut rows = PerDirection::<Tally>::default();
    for row in &interval.flows {
        if row.interface.as_deref() == Some(interface.facts.name.as_str()) {
            rows.add(row.traffic);
        }
    }
    assert_eq!(terms.map(|side| side.attributed), rows, "attributed bytes");
    let mut classes = [Tally::default(); 2];
    interface
        .non_ip
        .iter()
        .for_each(|class| classes[0].add(class.tally));
    interface
        .malformed
        .iter()
        .for_each(|class| classes[1].add(class.tally));
    let mut expected = [terms.ingress.non_ip, terms.ingress.malformed];
    expected[0].add(terms.egress.non_ip);
    expected[1].add(terms.egress.malformed);
    assert_eq!(classes, expected, "classes");
}
