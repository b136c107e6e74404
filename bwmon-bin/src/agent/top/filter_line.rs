//! The filter, and the line that it is typed on.

use std::str::FromStr;

use bwmon_core::filter::{Filter, FilterError, MAX_BYTES, Named, Subject};
use bwmon_core::flow::Flow;

/// A filter and its text.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    /// As it was typed.
    pub(super) text: String,
    /// What it means.
    pub(super) filter: Filter,
}

/// Why a text on the command line is no filter, with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n\n{excerpt}")]
pub(super) struct Refused {
    message: String,
    excerpt: String,
}

impl FromStr for Accepted {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        parse(text)
            .map(|filter| Self {
                text: text.to_owned(),
                filter,
            })
            .map_err(|error| Refused {
                message: error.message.clone(),
                excerpt: error.excerpt(text),
            })
    }
}

fn parse(text: &str) -> Result<Filter, FilterError> {
    Filter::parse_for(text, <Named<'_, Flow> as Subject>::FIELDS)
}

/// A change of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    /// A character at the cursor.
    Insert(char),
    /// Removes the character before the cursor.
    Backspace,
    /// Removes the character at the cursor.
    Delete,
    /// Removes the word before the cursor.
    Word,
    /// Removes everything before the cursor.
    Line,
    /// One character to the left.
    Left,
    /// One character to the right.
    Right,
    /// To the start.
    Start,
    /// To the end.
    End,
}

/// A line being typed. While it is wrong, the last filter that was right stays in force.
#[derive(Debug, Clone, Default)]
pub(super) struct FilterLine {
    text: Vec<char>,
    cursor: usize,
    error: Option<FilterError>,
    accepted: Option<Accepted>,
}

impl FilterLine {
    /// A line that starts with a filter in force.
    pub(super) fn new(accepted: Option<Accepted>) -> Self {
        let text: Vec<char> = accepted
            .iter()
            .flat_map(|accepted| accepted.text.chars())
            .collect();
        Self {
            cursor: text.len(),
            text,
            error: None,
            accepted,
        }
    }

    /// What was typed.
    pub(super) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Characters before the cursor.
    pub(super) const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Why the text is no filter.
    pub(super) const fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }

    /// The filter in force, if any.
    pub(super) const fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    /// Changes the line, and the filter where the line is one. An empty line is no filter.
    pub(super) fn edit(&mut self, edit: Edit) {
        let cursor = self.cursor;
        match edit {
            Edit::Insert(character) => self.insert(character),
            Edit::Backspace => self.remove(cursor.saturating_sub(1)),
            Edit::Delete => {
                if cursor < self.text.len() {
                    self.text.remove(cursor);
                }
            }
            Edit::Word => self.remove(self.start_of_word()),
            Edit::Line => self.remove(0),
            Edit::Left => self.cursor = cursor.saturating_sub(1),
            Edit::Right => self.cursor = (cursor + 1).min(self.text.len()),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
        }
        self.judge();
    }

    fn insert(&mut self, character: char) {
        let bytes: usize = self.text.iter().map(|c| c.len_utf8()).sum();
        if !character.is_control() && bytes + character.len_utf8() <= MAX_BYTES {
            self.text.insert(self.cursor, character);
            self.cursor += 1;
        }
    }

    /// Removes what stands between `from` and the cursor.
    fn remove(&mut self, from: usize) {
        self.text.drain(from.min(self.cursor)..self.cursor);
        self.cursor = from.min(self.cursor);
    }

    fn start_of_word(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let is_blank = |c: &char| c.is_whitespace();
        let word = before.iter().rev().skip_while(|c| is_blank(c));
        let letters = word.take_while(|c| !is_blank(c)).count();
        let blanks = before.iter().rev().take_while(|c| is_blank(c)).count();
        before.len() - blanks - letters
    }

    fn judge(&mut self) {
        let text = self.text();
        if text.trim().is_empty() {
            self.error = None;
            self.accepted = None;
            return;
        }
        match parse(&text) {
            Ok(filter) => {
                self.error = None;
                self.accepted = Some(Accepted { text, filter });
            }
            Err(error) => self.error = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut FilterLine, text: &str) {
        text.chars().for_each(|c| line.edit(Edit::Insert(c)));
    }

    fn in_force(line: &FilterLine) -> Option<&str> {
        line.accepted().map(|accepted| accepted.text.as_str())
    }

    #[test]
    fn the_last_right_filter_stays_in_force_while_the_line_is_wrong() {
        let mut line = FilterLine::default();
        typed(&mut line, "port 443");
        assert_eq!((in_force(&line), line.error()), (Some("port 443"), None));
        typed(&mut line, " an");
        assert_eq!(in_force(&line), Some("port 443 "));
        assert_eq!(line.error().unwrap().position, 9);
        typed(&mut line, "d tcp");
        assert_eq!(in_force(&line), Some("port 443 and tcp"));
        line.edit(Edit::Line);
        assert_eq!((in_force(&line), line.error()), (None, None));
    }

    #[test]
    fn it_is_edited_like_a_shell_line() {
        let mut line = FilterLine::default();
        typed(&mut line, "tcp or udp ");
        line.edit(Edit::Word);
        assert_eq!(line.text(), "tcp or ");
        typed(&mut line, "icmp");
        line.edit(Edit::Start);
        line.edit(Edit::Delete);
        typed(&mut line, "T");
        line.edit(Edit::End);
        line.edit(Edit::Left);
        line.edit(Edit::Backspace);
        assert_eq!((line.text().as_str(), line.cursor()), ("Tcp or icp", 9));
    }

    #[test]
    fn no_key_does_harm_on_an_empty_line() {
        let mut line = FilterLine::default();
        for edit in [
            Edit::Backspace,
            Edit::Delete,
            Edit::Word,
            Edit::Line,
            Edit::Left,
            Edit::Right,
            Edit::Insert('\u{1b}'),
        ] {
            line.edit(edit);
            assert_eq!((line.text().as_str(), line.cursor()), ("", 0));
        }
    }

    #[test]
    fn the_length_is_bounded() {
        let mut line = FilterLine::default();
        typed(&mut line, &"é".repeat(MAX_BYTES));
        assert_eq!(line.text().len(), MAX_BYTES);
    }

    #[test]
    fn a_refusal_shows_the_place() {
        let refused = "prot 443".parse::<Accepted>().unwrap_err().to_string();
        assert!(refused.contains("prot 443\n^^^^"), "{refused}");
    }
}
