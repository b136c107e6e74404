//! What keys mean: a pure function.

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::columns::Tab;
use super::filter_line::Edit;

/// What the keys are for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Looking at rows.
    Rows,
    /// Typing a filter.
    Filter,
    /// Reading the help.
    Help,
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// End.
    Quit,
    /// One step back; the end where there is none.
    Leave,
    /// One step back: out of a focus, a selection.
    Back,
    /// Stop the process until the shell continues it.
    Suspend,
    /// Paint everything anew.
    Redraw,
    /// Look at a view.
    Show(Tab),
    /// Look at the next view.
    NextTab,
    /// Look at the view before.
    PreviousTab,
    /// Sort by the next column.
    NextSort,
    /// Sort by the column before.
    PreviousSort,
    /// Turn the order around.
    Reverse,
    /// Stop and continue to show what happens.
    Pause,
    /// Open or close the help.
    Help,
    /// Type a filter.
    Filter,
    /// Change the filter that is typed.
    Type(Edit),
    /// Keep the filter that was typed.
    Accept,
    /// Go back to the filter from before.
    Revert,
    /// Select a row so many further down, or up.
    Move(isize),
    /// Select a row so many pages further down, or up.
    Page(isize),
    /// Select the first row.
    First,
    /// Select the last row.
    Last,
    /// Look into the selected row.
    Enter,
}

/// What `key` means in `mode`, if anything.
pub(super) fn action(key: KeyEvent, mode: Mode) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        let common = match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            KeyCode::Char('l') => Some(Action::Redraw),
            _ => None,
        };
        if common.is_some() {
            return common;
        }
    }
    match mode {
        Mode::Rows => in_rows(key),
        Mode::Filter => in_filter(key),
        Mode::Help => in_help(key),
    }
}

fn in_rows(key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('f' | 'd') => Some(Action::Page(1)),
            KeyCode::Char('b' | 'u') => Some(Action::Page(-1)),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Esc => Action::Leave,
        KeyCode::Backspace => Action::Back,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char(' ') => Action::Pause,
        KeyCode::Char('r') => Action::Reverse,
        KeyCode::Char('<' | ',') | KeyCode::Left => Action::PreviousSort,
        KeyCode::Char('>' | '.' | 's') | KeyCode::Right => Action::NextSort,
        KeyCode::Tab => Action::NextTab,
        KeyCode::BackTab => Action::PreviousTab,
        KeyCode::Char(digit @ '1'..='5') => {
            let number = digit.to_digit(10)?.checked_sub(1)?;
            Action::Show(*Tab::ALL.get(usize::try_from(number).ok()?)?)
        }
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::PageDown => Action::Page(1),
        KeyCode::PageUp => Action::Page(-1),
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Enter => Action::Enter,
        _ => return None,
    })
}

fn in_filter(key: KeyEvent) -> Option<Action> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(Action::Type(match key.code {
        KeyCode::Enter => return Some(Action::Accept),
        KeyCode::Esc => return Some(Action::Revert),
        KeyCode::Char('a') if is_control => Edit::Start,
        KeyCode::Char('e') if is_control => Edit::End,
        KeyCode::Char('u') if is_control => Edit::Line,
        KeyCode::Char('w') if is_control => Edit::Word,
        KeyCode::Char('h') if is_control => Edit::Backspace,
        KeyCode::Char(_) if is_control => return None,
        KeyCode::Char(character) => Edit::Insert(character),
        KeyCode::Backspace => Edit::Backspace,
        KeyCode::Delete => Edit::Delete,
        KeyCode::Left => Edit::Left,
        KeyCode::Right => Edit::Right,
        KeyCode::Home => Edit::Start,
        KeyCode::End => Edit::End,
        _ => return None,
    }))
}

fn in_help(key: KeyEvent) -> Option<Action> {
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Page(1),
        KeyCode::PageUp => Action::Page(-1),
        KeyCode::Home => Action::First,
        _ => Action::Help,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: KeyCode, mode: Mode) -> Option<Action> {
        action(KeyEvent::new(code, KeyModifiers::NONE), mode)
    }

    fn control(letter: char, mode: Mode) -> Option<Action> {
        action(
            KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL),
            mode,
        )
    }

    #[test]
    fn control_c_always_ends_and_letters_end_nothing_while_typing() {
        for mode in [Mode::Rows, Mode::Filter, Mode::Help] {
            assert_eq!(control('c', mode), Some(Action::Quit));
        }
        assert_eq!(plain(KeyCode::Char('q'), Mode::Rows), Some(Action::Quit));
        let typed = Action::Type(Edit::Insert('q'));
        assert_eq!(plain(KeyCode::Char('q'), Mode::Filter), Some(typed));
        assert_eq!(control('q', Mode::Filter), None);
    }

    #[test]
    fn each_view_has_a_digit() {
        for (digit, tab) in ('1'..).zip(Tab::ALL) {
            let shown = plain(KeyCode::Char(digit), Mode::Rows);
            assert_eq!(shown, Some(Action::Show(tab)));
        }
        assert_eq!(plain(KeyCode::Char('6'), Mode::Rows), None);
    }

    #[test]
    fn a_released_key_says_nothing_again() {
        let mut key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        key.kind = KeyEventKind::Release;
        assert_eq!(action(key, Mode::Rows), None);
    }

    #[test]
    fn escape_goes_one_step_back() {
        assert_eq!(plain(KeyCode::Esc, Mode::Rows), Some(Action::Leave));
        assert_eq!(plain(KeyCode::Esc, Mode::Filter), Some(Action::Revert));
        assert_eq!(plain(KeyCode::Esc, Mode::Help), Some(Action::Help));
    }
}
