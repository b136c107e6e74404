//! Where the parts of a series go: straight to the output, or by way of a thread that prints them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::output::Output;
use super::part::{Ending, Part};

/// Most intervals that wait for being printed.
const QUEUED_PARTS: usize = 64;
/// What a flow takes in memory, about, over IPv4.
const FLOW_BYTES: usize = 128;

/// Takes the intervals of a series one after the other, then what they sum to.
pub(super) trait Sink: Sized {
    /// Whether an interval of so many flows can be taken without waiting for who reads the output.
    fn has_room(&self, flows: usize) -> bool;

    /// Takes an interval that is over; waits where there is no room.
    ///
    /// # Errors
    /// When it cannot be written. Nothing more needs to be handed in then.
    fn interval(&mut self, part: Part) -> io::Result<()>;

    /// Whether nothing more can be written, as far as is known.
    fn is_broken(&self) -> bool;

    /// Takes what the intervals sum to, and waits until all is written.
    ///
    /// # Errors
    /// When something, or something before, could not be written.
    fn end(self, part: Part, ending: Ending) -> io::Result<()>;
}

/// A file waits for its reader.
impl Sink for Output {
    fn has_room(&self, _flows: usize) -> bool {
        true
    }

    fn interval(&mut self, part: Part) -> io::Result<()> {
        Self::interval(self, &part)
    }

    fn is_broken(&self) -> bool {
        false
    }

    fn end(self, part: Part, ending: Ending) -> io::Result<()> {
        Self::end(self, &part, &ending)
    }
}

/// Prints on a thread of its own, so that who captures never waits for who reads.
///
/// Holds 64 intervals at most, and together no more flows than fit into the memory of one table,
/// besides one interval of any size.
#[derive(Debug)]
pub(super) struct Queue {
    sender: SyncSender<Message>,
    load: Arc<Load>,
    most_flows: usize,
    printer: JoinHandle<io::Result<()>>,
}

/// A part, and after the last one how reading came to its end.
type Message = (Part, Option<Ending>);

/// What was handed in and is not printed yet.
#[derive(Debug, Default)]
struct Load {
    parts: AtomicUsize,
    flows: AtomicUsize,
}

impl Load {
    fn has_room(&self, flows: usize, most_flows: usize) -> bool {
        let parts = self.parts.load(Ordering::Acquire);
        let waiting = self.flows.load(Ordering::Acquire);
        parts == 0 || (parts < QUEUED_PARTS && waiting.saturating_add(flows) <= most_flows)
    }

    fn add(&self, flows: usize) {
        self.flows.fetch_add(flows, Ordering::AcqRel);
        self.parts.fetch_add(1, Ordering::AcqRel);
    }

    fn subtract(&self, flows: usize) {
        self.flows.fetch_sub(flows, Ordering::AcqRel);
        self.parts.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Queue {
    /// Starts to print to `output`; flows that wait take `max_memory` bytes at most.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(output: Output, max_memory: usize) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUED_PARTS);
        let load = Arc::new(Load::default());
        let printed = Arc::clone(&load);
        let printer = thread::Builder::new()
            .name("print".to_owned())
            .spawn(move || print(output, &receiver, &printed))?;
        Ok(Self {
            sender,
            load,
            most_flows: max_memory / FLOW_BYTES,
            printer,
        })
    }
}

impl Sink for Queue {
    fn has_room(&self, flows: usize) -> bool {
        self.load.has_room(flows, self.most_flows)
    }

    fn interval(&mut self, part: Part) -> io::Result<()> {
        self.load.add(part.rows());
        // Where the thread has gone away, the end says why.
        let _is_taken = self.sender.send((part, None));
        Ok(())
    }

    fn is_broken(&self) -> bool {
        self.printer.is_finished()
    }

    fn end(self, part: Part, ending: Ending) -> io::Result<()> {
        // Where the thread has gone away, its result says why.
        let _is_taken = self.sender.send((part, Some(ending)));
        drop(self.sender);
        let result = self.printer.join();
        result.unwrap_or_else(|_| Err(io::Error::other("the thread that prints broke down")))
    }
}

fn print(mut output: Output, messages: &Receiver<Message>, load: &Load) -> io::Result<()> {
    for (part, ending) in messages {
        if let Some(ending) = ending {
            return output.end(&part, &ending);
        }
        output.interval(&part)?;
        let flows = part.rows();
        drop(part);
        load.subtract(flows);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_in_intervals_and_in_flows() {
        let load = Load::default();
        assert!(load.has_room(1_000, 100), "one of any size");
        load.add(60);
        assert!(load.has_room(40, 100));
        assert!(!load.has_room(41, 100));
        load.subtract(60);
        assert!(load.has_room(1_000, 100));
        for _ in 0..QUEUED_PARTS {
            assert!(load.has_room(1, 100));
            load.add(1);
        }
        assert!(!load.has_room(0, 100));
        load.subtract(1);
        assert!(load.has_room(0, 100));
    }
}
