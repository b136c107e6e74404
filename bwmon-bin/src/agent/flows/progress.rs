//! How far a file has been read, on standard error where that is a terminal.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::input::Input;
use super::units::Si;

/// Files that are read within this time show nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// Time between two looks at the position.
const PACE: Duration = Duration::from_millis(100);
/// At most 80 characters wide: the widest values leave 18 for the bar.
const TEMPLATE: &str =
    "{bar:18} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  {msg}  {eta} left";

/// Shows how far reading is, or nothing.
#[derive(Debug)]
pub(super) struct Progress(Option<Shown>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    position: Arc<AtomicU64>,
    frames: u64,
    started: Instant,
    next: Instant,
}

impl Progress {
    /// For a file of known size where standard error is a terminal, unless rows come there meanwhile.
    pub(super) fn of(input: &Input, prints_meanwhile: bool) -> Self {
        let is_garbled = prints_meanwhile && io::stdout().is_terminal();
        let size = input
            .size
            .filter(|_| io::stderr().is_terminal() && !is_garbled);
        Self(size.map(|size| {
            let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template(TEMPLATE);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            let started = Instant::now();
            Shown {
                bar,
                position: Arc::clone(&input.position),
                frames: 0,
                started,
                next: started + PATIENCE,
            }
        }))
    }

    /// Says that `frames` more were read. To be called every few thousand: it reads the clock.
    pub(super) fn advance(&mut self, frames: u64) {
        if let Some(shown) = &mut self.0 {
            shown.advance(frames);
        }
    }

    /// Takes it off the terminal.
    pub(super) fn clear(self) {
        if let Some(shown) = self.0 {
            shown.bar.finish_and_clear();
        }
    }
}

impl Shown {
    fn advance(&mut self, frames: u64) {
        self.frames += frames;
        let now = Instant::now();
        if now < self.next {
            return;
        }
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.next = now + PACE;
        let rate = self.frames as f64 / (now - self.started).as_secs_f64();
        self.bar.set_message(format!("{}", Si(rate, "packets/s")));
        self.bar.set_position(self.position.load(Ordering::Relaxed));
    }
}
