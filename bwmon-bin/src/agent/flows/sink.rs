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

#[derive(Debug)]
enum Message {
    Interval(Part),
    End(Box<(Part, Ending)>),
}

/// What was handed in and is not printed yet.
#[derive(Debug, Default)]
struct Load {
    parts: AtomicUsize,
    flows: AtomicUsize,
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
        let parts = self.load.parts.load(Ordering::Acquire);
        let waiting = self.load.flows.load(Ordering::Acquire);
        parts == 0 || (parts < QUEUED_PARTS && waiting.saturating_add(flows) <= self.most_flows)
    }

    fn interval(&mut self, part: Part) -> io::Result<()> {
        self.load.parts.fetch_add(1, Ordering::AcqRel);
        self.load.flows.fetch_add(part.rows(), Ordering::AcqRel);
        // Where the thread has gone away, the end says why.
        let _is_taken = self.sender.send(Message::Interval(part));
        Ok(())
    }

    fn is_broken(&self) -> bool {
        self.printer.is_finished()
    }

    fn end(self, part: Part, ending: Ending) -> io::Result<()> {
        // Where the thread has gone away, its result says why.
        let _is_taken = self.sender.send(Message::End(Box::new((part, ending))));
        drop(self.sender);
        let result = self.printer.join();
        result.unwrap_or_else(|_| Err(io::Error::other("the thread that prints broke down")))
    }
}

fn print(mut output: Output, messages: &Receiver<Message>, load: &Load) -> io::Result<()> {
    for message in messages {
        match message {
            Message::Interval(part) => {
                output.interval(&part)?;
                let rows = part.rows();
                drop(part);
                load.flows.fetch_sub(rows, Ordering::AcqRel);
                load.parts.fetch_sub(1, Ordering::AcqRel);
            }
            Message::End(last) => {
                let (part, ending) = *last;
                return output.end(&part, &ending);
            }
        }
    }
    Ok(())
}
