//! The view in a terminal: keys and updates come in, the screen follows.

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

use anyhow::{Context, bail};
use ratatui_crossterm::crossterm::event::{self, Event};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::app::{App, Next};
use super::arguments::TopArguments;
use super::capture::Capture;
use super::columns::Tab;
use super::keys::action;
use super::outlet::{Message, Outlet, channel};
use super::screen::Screen;
use super::theme::{Environment, Theme};
use crate::agent::ladder::Open;

/// Shows what is captured until the user or a signal ends it.
///
/// # Errors
/// When the terminal is lost, or the capture thread.
pub(super) fn run<O: Open + 'static>(
    capture: Capture<O>,
    arguments: &TopArguments,
) -> anyhow::Result<ExitCode> {
    let (sender, receiver) = channel();
    let tab = arguments.view.unwrap_or(Tab::Peers);
    let mut app = App::new(tab, arguments.filter.clone());
    let theme = Theme::suiting(&Environment::of_process());
    listen_to_signals(sender.clone())?;
    let mut screen = Screen::open()?;
    listen_to_keys(sender.clone())?;
    start_capture(capture, arguments, sender)?;
    follow(&receiver, &mut app, &mut screen, &theme)?;
    Ok(ExitCode::SUCCESS)
}

/// Starts the capture thread, which ends when `sender`'s other end is dropped.
///
/// # Errors
/// When the system starts no thread.
pub(super) fn start_capture<O: Open + 'static>(
    capture: Capture<O>,
    arguments: &TopArguments,
    sender: SyncSender<Message>,
) -> anyhow::Result<()> {
    let refresh = arguments.refresh.duration();
    thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || capture.run(refresh, Outlet::new(sender)))
        .context("cannot start the capture thread")?;
    Ok(())
}

fn follow(
    receiver: &Receiver<Message>,
    app: &mut App,
    screen: &mut Screen,
    theme: &Theme,
) -> anyhow::Result<()> {
    screen.draw(app, theme)?;
    while let Ok(message) = receiver.recv() {
        // What has come meanwhile is shown at once, in one go.
        for message in std::iter::once(message).chain(receiver.try_iter()) {
            match take(message, app)? {
                Next::Quit => return Ok(()),
                Next::Draw => {}
                Next::Redraw => screen.clear()?,
                // The signal that ends the stop takes the terminal over again, once.
                Next::Suspend => {
                    screen.leave();
                    emulate_default_handler(SIGTSTP).context("cannot suspend")?;
                }
                Next::Enter => screen.enter()?,
            }
        }
        screen.draw(app, theme)?;
    }
    Ok(())
}

fn take(message: Message, app: &mut App) -> anyhow::Result<Next> {
    Ok(match message {
        Message::Update(update) => {
            app.apply(*update);
            Next::Draw
        }
        Message::Key(key) => action(key, app.mode()).map_or(Next::Draw, |action| app.act(action)),
        Message::Resized => Next::Draw,
        Message::End => Next::Quit,
        Message::Suspend => Next::Suspend,
        Message::Continued => Next::Enter,
        Message::InputLost(error) => bail!("cannot read keys: {error}"),
        Message::CaptureLost => bail!("the capture thread ended; what it said stands above"),
    })
}

fn listen_to_signals(sender: SyncSender<Message>) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT])
        .context("cannot listen to signals")?;
    let listen = move || {
        for signal in signals.forever() {
            let message = match signal {
                SIGTSTP => Message::Suspend,
                SIGCONT => Message::Continued,
                _ => Message::End,
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .context("cannot start a thread for signals")?;
    Ok(())
}

fn listen_to_keys(sender: SyncSender<Message>) -> anyhow::Result<()> {
    let listen = move || {
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) => Message::Key(key),
                Ok(Event::Resize(..)) => Message::Resized,
                Ok(_) => continue,
                Err(error) => Message::InputLost(error.to_string()),
            };
            let is_last = matches!(message, Message::InputLost(_));
            if sender.send(message).is_err() || is_last {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(listen)
        .context("cannot start a thread for keys")?;
    Ok(())
}
