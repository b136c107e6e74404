//! Flipped bytes and truncations of a spool of three segments, anywhere in each of its files.

use std::collections::BTreeMap;

use super::super::SpoolConfig;
use super::super::segment::parse_name;
use super::cases;
use super::model::Model;
use super::world::World;

type Image = BTreeMap<String, Vec<u8>>;

fn config() -> SpoolConfig {
    SpoolConfig {
        core_bytes: 1 << 20,
        flow_bytes: 1 << 20,
        segment_bytes: 2_500,
        ..SpoolConfig::default()
    }
}

/// A spool with three core segments as a crash leaves it, and how many records each file holds.
fn spool() -> (Image, BTreeMap<String, u64>, u64) {
    let mut world = World::new(Model::default(), config());
    while core_segments(&world.disk.image()) < 3 {
        world.append();
        world.pass(2);
    }
    let image = world.disk.image();
    let records = image
        .iter()
        .map(|(name, bytes)| (name.clone(), records_in(name, bytes)))
        .collect();
    (image, records, world.spool().stats().spooled)
}

fn core_segments(image: &Image) -> usize {
    image
        .keys()
        .filter(|name| name.starts_with("core-"))
        .count()
}

fn records_in(name: &str, bytes: &[u8]) -> u64 {
    let scan = parse_name(name).and_then(|(lane, id)| super::super::segment::scan(bytes, lane, id));
    scan.map_or(0, |scan| scan.records.len() as u64)
}

/// Opens a damaged image, goes on, and checks that no more than `most` records are lost, by name.
fn survives(image: &Image, name: &str, most: u64, total: u64, what: &str) {
    let mut world = World::new(Model::from_image(image), config());
    world.append();
    world.deliver_all();
    let stats = world.spool().stats();
    let before = world.receiver.stored.len() as u64;
    let lost = if name.starts_with("core-") { most } else { 0 };
    // The report that was appended, and the start of an epoch where a new one had to begin.
    assert!(before + lost > total, "{what}: {before} of {total} arrived");
    let own = world.own.last().unwrap();
    let named = (1..=own.seq).all(|seq| {
        world
            .receiver
            .knows(&bwmon_core::report::RecordKey { seq, ..*own })
    });
    assert!(named, "{what}: a hole without a word");
    if name.starts_with("core-") {
        assert_eq!(stats.dropped.damage + before, total + 1, "{what}");
    }
    if name.starts_with("flow-") {
        assert!(world.receiver.without_rows.len() as u64 <= most, "{what}");
    }
}

/// Places in `len` bytes, spread over all of them; every one where there are no more than may be tried.
fn places(len: usize) -> impl Iterator<Item = usize> {
    let most = cases(100) as usize;
    let mut random = fastrand::Rng::new();
    let stride = len.div_ceil(most).max(1);
    (0..len)
        .step_by(stride)
        .map(move |from| random.usize(from..len.min(from + stride)))
}

#[test]
fn a_truncation_anywhere_loses_at_most_its_segment_by_name() {
    let (image, records, total) = spool();
    for (name, bytes) in &image {
        for len in places(bytes.len()) {
            let mut damaged = image.clone();
            damaged.get_mut(name).unwrap().truncate(len);
            survives(
                &damaged,
                name,
                records[name],
                total,
                &format!("{name} cut to {len}"),
            );
        }
        let mut damaged = image.clone();
        damaged.remove(name);
        survives(
            &damaged,
            name,
            records[name],
            total,
            &format!("{name} removed"),
        );
    }
}

#[test]
fn a_flipped_byte_anywhere_loses_at_most_its_segment_by_name() {
    let (image, records, total) = spool();
    for (name, bytes) in &image {
        for at in places(bytes.len()) {
            let mut damaged = image.clone();
            damaged.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            survives(
                &damaged,
                name,
                records[name],
                total,
                &format!("{name}, byte {at}"),
            );
        }
    }
}
