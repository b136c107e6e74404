//! Seeds of the other structured targets: files that are written and read back, blocks of a packet
//! ring, operations on a flow table, and what a monitor is fed.

use super::files::{kept, replay};
use super::oracles::{capture_written, flow_table, monitor, packet_block};

#[test]
fn written_files_are_in_git_and_mean_what_they_say() {
    for (name, recipe, frames) in written() {
        assert_eq!(kept("capture_written", name, &recipe), recipe, "{name}");
        assert_eq!(
            capture_written::write(&recipe).frames.len(),
            frames,
            "{name}"
        );
    }
}

/// Cut at many places: at the one that the seed says, and at each of the first 600.
#[test]
fn every_written_file_of_the_corpus_keeps_the_laws() {
    let count = replay("capture_written", |recipe| {
        capture_written::check(recipe);
        let mut recipe = recipe.to_owned();
        recipe.resize(recipe.len().max(2), 0);
        let length = capture_written::write(&recipe).file.len();
        for cut in 0..=u16::try_from(length.min(600)).unwrap() {
            recipe[..2].copy_from_slice(&cut.to_le_bytes());
            capture_written::check(&recipe);
        }
    });
    assert!(count >= written().len());
}

#[test]
fn blocks_of_a_ring_are_in_git_and_keep_the_laws() {
    for (name, recipe) in blocks() {
        assert_eq!(kept("packet_block", name, &recipe), recipe, "{name}");
    }
    assert!(replay("packet_block", packet_block::check) >= blocks().len());
}

#[test]
fn operations_on_a_table_are_in_git_and_keep_the_laws() {
    for (name, recipe) in operations() {
        assert_eq!(kept("flow_table", name, &recipe), recipe, "{name}");
    }
    assert!(replay("flow_table", flow_table::check) >= operations().len());
}

#[test]
fn what_a_monitor_is_fed_is_in_git_and_keeps_the_laws() {
    for (name, recipe) in fed() {
        assert_eq!(kept("monitor", name, &recipe), recipe, "{name}");
    }
    assert!(replay("monitor", monitor::check) >= fed().len());
}

/// Where to cut, then the format: 0 and a byte order, a variant, a link type, a frame check sequence and a
/// snapshot length; or 1.
fn written() -> Vec<(&'static str, Vec<u8>, usize)> {
    const CLASSIC: [u8; 4] = [60, 0, 0, 0];
    const NEXT: [u8; 3] = [100, 0, 1];
    // Seconds, ticks, wire length, captured length, first byte.
    const FRAME: [u8; 14] = [1, 2, 3, 4, 5, 6, 7, 0, 220, 5, 0, 0, 33, 7];
    let classic = |start: [u8; 2], frames: &[&[u8]]| {
        let head = [start[0], start[1], 0, 0, 0, 0, 4, 0];
        [&CLASSIC[..3], &head, &frames.concat()].concat()
    };
    let next = |blocks: &[&[u8]]| [NEXT.as_slice(), &blocks.concat()].concat();
    let mut longest = FRAME;
    longest[12] = 255;
    let longest = [&longest[..13], &[7, 7]].concat();
    vec![
        ("micros-little", classic([0, 0], &[&FRAME, &FRAME]), 2),
        ("micros-big", classic([1, 0], &[&FRAME, &FRAME]), 2),
        ("nanos-little", classic([0, 1], &[&FRAME, &FRAME]), 2),
        ("nanos-big", classic([1, 1], &[&FRAME, &FRAME]), 2),
        ("modified-little", classic([0, 2], &[&FRAME, &FRAME]), 2),
        ("modified-big", classic([1, 2], &[&FRAME, &FRAME]), 2),
        ("longest-frame", classic([0, 0], &[&longest, &FRAME]), 2),
        ("section-alone", next(&[LITTLE]), 0),
        (
            "enhanced-little",
            next(&[LITTLE, PLAIN, ENHANCED, ENHANCED]),
            2,
        ),
        ("enhanced-big", next(&[BIG, PLAIN, ENHANCED, ENHANCED]), 2),
        ("obsolete-packet", next(&[LITTLE, PLAIN, OBSOLETE]), 1),
        (
            "simple-packet-cut-by-snapshot-length",
            next(&[LITTLE, SHORT, SIMPLE, &[1, 0, 0, 0]]),
            1,
        ),
        // Had the offset of its interface's clock for a time.
        (
            "simple-packet-with-clock",
            next(&[LITTLE, CLOCK, SIMPLE]),
            1,
        ),
        ("interface-with-clock", next(&[BIG, CLOCK, ENHANCED]), 1),
        (
            "other-blocks",
            next(&[LITTLE, PLAIN, OTHER, ENHANCED, OTHER]),
            1,
        ),
        (
            "sections-of-both-byte-orders",
            next(&[LITTLE, PLAIN, ENHANCED, &[5], BIG, PLAIN, ENHANCED]),
            2,
        ),
    ]
}

/// A section: its byte order, whether it says its length, a comment.
const LITTLE: &[u8] = &[0, 0, 0];
const BIG: &[u8] = &[1, 1, 30];
/// Interfaces: a link type, a snapshot length, a name, no or some resolution and offset, end of options.
const PLAIN: &[u8] = &[0, 0, 0, 25, 0, 0, 1];
const SHORT: &[u8] = &[0, 0, 4, 0, 0, 0, 0];
const CLOCK: &[u8] = &[0, 1, 0, 0, 1, 1, 1, 16, 14, 0, 0, 0, 0, 0, 0, 1];
/// Packets: interface, ticks, wire length, captured length and first byte, comment.
const ENHANCED: &[u8] = &[0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 220, 5, 0, 0, 42, 9, 30];
const OBSOLETE: &[u8] = &[2, 0, 1, 2, 3, 4, 5, 0, 0, 0, 220, 5, 0, 0, 42, 9, 0];
/// A captured length and a first byte; where a snapshot length cuts it, how much longer it was.
const SIMPLE: &[u8] = &[3, 42, 9];
/// A kind, a length, a first byte.
const OTHER: &[u8] = &[4, 3, 21, 0];

/// How many frames, and each: length, room before it, filler; seconds, nanoseconds, wire length,
/// interface; direction, tag, hardware type. Then changes: where, what, how.
fn blocks() -> Vec<(&'static str, Vec<u8>)> {
    let plain = [
        &[60, 14, 0x2a][..],
        &[10, 0, 0, 0, 11, 0, 0, 0, 220, 5, 0, 0, 7, 0, 0, 0],
        &[0, 0, 0],
    ]
    .concat();
    let tagged = [&plain[..19], &[0, 1, 5, 0x20, 0]].concat();
    let sent = [&plain[..19], &[1, 1, 5, 0x20, 0]].concat();
    let changed =
        |changes: &[&[u8]]| [&[3][..], &plain, &tagged, &plain, &changes.concat()].concat();
    let many = (u32::MAX - 1).to_le_bytes();
    vec![
        ("no-frames", vec![0]),
        ("tagged-frames", [&[3][..], &plain, &tagged, &sent].concat()),
        ("next-offset-of-zero", changed(&[&[48, 0, 0, 0, 0, 0, 0]])),
        ("next-offset-beyond", changed(&[&[48, 0, 0, 0, 1, 0, 0]])),
        (
            "first-offset-beyond",
            changed(&[&[16, 0, 0, 0, 0, 0x7f, 0]]),
        ),
        (
            "frame-longer-than-block",
            changed(&[&[60, 0, 0, 0x10, 0, 0, 0]]),
        ),
        ("more-announced", changed(&[&[12, 0], &many, &[0]])),
        ("cut-in-second-header", changed(&[&[220, 0, 0, 0, 0, 0, 7]])),
        (
            "tag-of-more-than-16-bits",
            changed(&[&[224, 0, 5, 0x20, 1, 0, 0]]),
        ),
    ]
}

/// Limits of the table: a number, of flows, of bytes or as by default. Then frames (which flow, where, which
/// way, when, how long, flags, by which call), floods (first flow, step, where, how long, how many), counters
/// (which flow, where, bytes and packets each way, when, how long, flags), looks, and rotations (how many are
/// shown, in which view, of which protocols).
fn operations() -> Vec<(&'static str, Vec<u8>)> {
    const LOOK: &[u8] = &[3];
    let frame = |flow, direction| vec![4, flow, 1, direction, 9, 0, 100, 0, 0, 0, 0x10, 1];
    let heavy = |flow| vec![4, flow, 2, 0, 1, 0, 0, 0, 1, 0, 0x02, 0];
    let flood = |count| vec![2, 0, 1, 1, 0, 60, 0, count];
    let add = |flow| vec![1, flow, 0, 1, 2, 0, 0, 3, 4, 5, 0, 0, 6, 7, 0, 50, 0x12];
    let rotate = |view| vec![0, 2, view, 0xff];
    let every_flow =
        |direction| -> Vec<u8> { (0..40).flat_map(|flow| frame(flow, direction)).collect() };
    let floods = [heavy(7), flood(255), heavy(8), flood(200), heavy(7)].concat();
    let seed = |parts: &[&[u8]]| parts.concat();
    vec![
        (
            "room-for-all",
            seed(&[&[0, 2], &every_flow(0), LOOK, &every_flow(1)]),
        ),
        ("smaller-end-first", seed(&[&[0, 2], &every_flow(2), LOOK])),
        (
            "no-flow-fits",
            seed(&[&[0, 0], &every_flow(0), LOOK, &add(3)]),
        ),
        (
            "one-flow-fits",
            seed(&[&[1, 0], &every_flow(0), LOOK, &every_flow(2)]),
        ),
        (
            "as-many-fit-as-there-are",
            seed(&[&[40, 0], &every_flow(0), LOOK]),
        ),
        ("heavy-flows-in-a-flood", seed(&[&[16, 0], &floods, LOOK])),
        ("memory-for-few", seed(&[&[20, 1], &floods, LOOK, &floods])),
        (
            "counters-of-another-source",
            seed(&[&[2, 0], &add(1), &add(2), &add(3), &add(1)]),
        ),
        (
            "rotations-between",
            seed(&[
                &[9, 2],
                &floods,
                &rotate(1),
                &every_flow(2),
                &rotate(2),
                LOOK,
                &floods,
            ]),
        ),
        (
            "every-view",
            (0..7).fold(vec![0, 2], |seed, view| {
                [seed, every_flow(0), rotate(view)].concat()
            }),
        ),
    ]
}

/// Bounds of the table and of the report; then frames (what is done, interface, direction where it is known,
/// wire length, how early, a recipe with its length), cuts and rotations, each with the time after it.
fn fed() -> Vec<(&'static str, Vec<u8>)> {
    const LATE: u8 = 50;
    let frame = |port: u8| {
        let recipe = [
            1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, port, 10, 0, 0, 2,
        ];
        let length = u8::try_from(recipe.len()).unwrap();
        [&[2, 0, 0, 100, 0, 0, 0, 0, 0, length][..], &recipe, &[LATE]].concat()
    };
    let [first, second, third] = [1, 2, 3].map(frame);
    let undirected = [&[2, 2, 200, 0, 0, 0, 0, 0, 1, 0][..], &[LATE]].concat();
    let arp = {
        let recipe = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 16];
        [&[2, 1, 1, 60, 0, 0, 0, 0, 0, 16][..], &recipe, &[LATE]].concat()
    };
    let broken = [&[2, 1, 1, 60, 0, 0, 0, 0, 0, 1][..], &[17], &[LATE]].concat();
    let (rotate, cut) = ([0, LATE], [1, LATE]);
    vec![
        (
            "all-classes",
            [&[20, 20][..], &first, &undirected, &arp, &broken].concat(),
        ),
        (
            "table-of-one-flow",
            [&[1, 20][..], &first, &second, &third, &first].concat(),
        ),
        ("table-of-no-flow", [&[0, 20][..], &first, &second].concat()),
        (
            "report-of-one-flow",
            [&[20, 1][..], &first, &second, &second, &third].concat(),
        ),
        (
            "cut-before-rotation",
            [
                &[20, 20][..],
                &first,
                &cut,
                &second,
                &rotate,
                &third,
                &rotate,
            ]
            .concat(),
        ),
        (
            "cut-without-rotation",
            [&[20, 20][..], &cut, &first, &arp].concat(),
        ),
    ]
}
