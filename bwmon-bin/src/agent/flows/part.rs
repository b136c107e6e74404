//! What is printed: the counts of a window or of a whole capture.

use bwmon_core::flow::Snapshot;
use bwmon_core::frame::Tally;
use bwmon_core::monitor::Totals;
use bwmon_core::time::Window;

/// Where the frames came from.
#[derive(Debug)]
pub(super) enum Source {
    /// A capture file by the name that was given; `-` is standard input.
    File(String),
    /// Interfaces, and how they are captured.
    Live {
        /// Their names.
        interfaces: Vec<String>,
        /// The method's name.
        method: &'static str,
    },
}

impl Source {
    /// What people call it.
    pub(super) fn title(&self) -> String {
        match self {
            Self::File(name) if name == "-" => "standard input".to_owned(),
            Self::File(name) => name.clone(),
            Self::Live { interfaces, .. } => interfaces.join(", "),
        }
    }
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// From the first frame to the last, or the interval.
    pub(super) window: Window,
    /// By class.
    pub(super) totals: Totals,
    /// The flows; absent where they were printed interval by interval.
    pub(super) flows: Option<Snapshot>,
    /// What belongs to flows that had no room.
    pub(super) overflow: Tally,
    /// Frames stamped before their interval, which had been printed already.
    pub(super) late_frames: u64,
    /// Intervals with frames that this one holds besides the first, for want of room for results.
    pub(super) merged_intervals: u64,
}

impl Part {
    /// A part with flows.
    pub(super) fn new(window: Window, totals: Totals, flows: Snapshot) -> Self {
        let mut overflow = Tally::default();
        for (_, traffic) in flows.overflow() {
            overflow.add(traffic.total());
        }
        Self {
            window,
            totals,
            flows: Some(flows),
            overflow,
            late_frames: 0,
            merged_intervals: 0,
        }
    }

    /// Number of flows.
    pub(super) fn rows(&self) -> usize {
        self.flows.as_ref().map_or(0, Snapshot::len)
    }

    /// Adds the numbers of a later part; flows are not kept.
    pub(super) fn absorb(&mut self, later: &Self) {
        for (sum, class) in [
            (&mut self.totals.ipv4, later.totals.ipv4),
            (&mut self.totals.ipv6, later.totals.ipv6),
            (&mut self.totals.non_ip, later.totals.non_ip),
            (&mut self.totals.malformed, later.totals.malformed),
            (&mut self.overflow, later.overflow),
        ] {
            sum.add(class);
        }
        self.late_frames += later.late_frames;
        self.merged_intervals += later.merged_intervals;
    }
}

/// How reading came to its end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// What went wrong, if anything.
    pub(super) error: Option<String>,
    /// Intervals that were printed before; absent without `--interval`.
    pub(super) intervals: Option<u64>,
    /// Frames that a live capture lost.
    pub(super) drops: Option<u64>,
}
