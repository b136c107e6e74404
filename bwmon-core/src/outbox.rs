//! Numbers what an agent says, so that a receiver can tell what is missing and what came twice.

use crate::report::{AgentId, Envelope, Epoch, EpochStart, Interval, Record, RecordBody};
use crate::time::Timestamp;

/// Gives each record its place in one epoch: sequence numbers from 1, without holes.
///
/// It lives in memory: each start of the process is a new epoch, and says so. For who keeps
/// nothing on disk; a spool numbers by itself, and goes on over restarts.
#[derive(Debug)]
pub struct Outbox {
    agent: AgentId,
    epoch: Epoch,
    next_seq: u64,
}

impl Outbox {
    /// An outbox that starts an epoch, which the caller draws at random.
    pub const fn new(agent: AgentId, epoch: Epoch) -> Self {
        Self {
            agent,
            epoch,
            next_seq: 1,
        }
    }

    /// Numbers the statement that the epoch starts.
    pub fn start(&mut self, started: Timestamp) -> Envelope {
        self.number(RecordBody::EpochStart(EpochStart {
            started,
            previous: None,
        }))
    }

    /// Numbers a report.
    pub fn report(&mut self, interval: Interval) -> Envelope {
        self.number(RecordBody::Report(Box::new(interval)))
    }

    fn number(&mut self, body: RecordBody) -> Envelope {
        let seq = self.next_seq;
        self.next_seq += 1;
        Envelope {
            agent: self.agent,
            record: Record {
                epoch: self.epoch,
                seq,
                body,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_holes() {
        let mut outbox = Outbox::new(AgentId(1), Epoch(2));
        let start = outbox.start(Timestamp::from_secs(5));
        let seqs: Vec<u64> = (0..3)
            .map(|_| outbox.report(Interval::default()).record.seq)
            .collect();
        assert_eq!((start.record.seq, seqs), (1, vec![2, 3, 4]));
        assert_eq!(start.record.epoch, Epoch(2));
    }
}
