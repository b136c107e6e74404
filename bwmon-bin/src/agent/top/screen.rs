//! The terminal: taken over, and given back whatever happens.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::panic;
use std::sync::Once;

use anyhow::Context;
use ratatui_core::terminal::Terminal;
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::cursor::{Hide, Show};
use ratatui_crossterm::crossterm::execute;
use ratatui_crossterm::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::app::App;
use super::theme::Theme;
use super::view;

/// A terminal that is drawn on. Dropping it gives the terminal back as it was.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    /// Given back for a while: nothing is drawn.
    is_away: bool,
}

impl Screen {
    /// Takes the terminal over; a panic of any thread gives it back before it is told.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub(super) fn open() -> anyhow::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let told = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                give_back();
                told(panic);
            }));
        });
        let backend = CrosstermBackend::new(BufWriter::new(stdout()));
        let terminal = Terminal::new(backend).context("cannot read the terminal's size")?;
        // From here on an error gives back what was taken.
        let screen = Self {
            terminal,
            is_away: false,
        };
        take_over().context("cannot take the terminal over")?;
        Ok(screen)
    }

    /// Draws what changed, unless the terminal is given back for a while.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn draw(&mut self, app: &mut App, theme: &Theme) -> anyhow::Result<()> {
        if self.is_away {
            return Ok(());
        }
        self.terminal
            .draw(|frame| view::draw(frame, app, theme))
            .context("cannot write to the terminal")?;
        Ok(())
    }

    /// Draws everything, whatever was on the terminal before.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        // Not `Terminal::clear`, which asks the terminal for its cursor: the answer would come in
        // among the keys.
        self.terminal
            .size()
            .and_then(|size| self.terminal.resize(size.into()))
            .context("cannot write to the terminal")
    }

    /// Gives the terminal back until [`Self::enter`].
    pub(super) fn leave(&mut self) {
        self.is_away = true;
        give_back();
    }

    /// Takes the terminal over again, whatever state others left it in.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub(super) fn enter(&mut self) -> anyhow::Result<()> {
        // So that the modes are set in fact, not only believed to be.
        disable_raw_mode().context("cannot take the terminal over again")?;
        take_over().context("cannot take the terminal over again")?;
        self.is_away = false;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Hide)
}

/// Nothing is left to do where the terminal refuses.
fn give_back() {
    let mut stdout = stdout();
    let _is_left = execute!(stdout, LeaveAlternateScreen, Show);
    let _is_flushed = stdout.flush();
    let _is_cooked = disable_raw_mode();
}

#[cfg(test)]
mod tests;
