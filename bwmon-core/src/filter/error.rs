use std::iter::repeat_n;

/// Most characters of the text that an excerpt shows before, and after, the place of the error.
const EXCERPT_SIDE: usize = 48;
/// Most characters of what was found that a message repeats.
const QUOTED: usize = 40;

/// Why a text is no filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter is wrong at byte {position}: {message}")]
pub struct FilterError {
    /// Where, in bytes from the start of the text; its length where something is missing at its end.
    pub position: usize,
    /// What was found, what was expected, and where it helps what to write instead.
    pub message: String,
    /// Length of what is wrong, in bytes; 0 at the end of the text.
    length: usize,
}

impl FilterError {
    pub(super) fn new(position: usize, length: usize, message: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
            length,
        }
    }

    /// The text on one line, and below it a line of carets under what is wrong. Long texts are cut
    /// around that place; what does not print is shown as a space. `text` is what was parsed.
    pub fn excerpt(&self, text: &str) -> String {
        let start = text.floor_char_boundary(self.position);
        let (before, rest) = text.split_at(start);
        let (wrong, _) = rest.split_at(rest.floor_char_boundary(self.length));

        let count = before.chars().count();
        let hidden = count.saturating_sub(EXCERPT_SIDE);
        let lead = if hidden > 0 { "…" } else { "" };
        let mut shown: String = lead.to_owned();
        shown.extend(before.chars().skip(hidden).map(printable));
        shown.extend(rest.chars().take(EXCERPT_SIDE).map(printable));
        if rest.chars().nth(EXCERPT_SIDE).is_some() {
            shown.push('…');
        }

        let indent = count - hidden + lead.chars().count();
        let carets = wrong.chars().count().clamp(1, EXCERPT_SIDE);
        let marks: String = repeat_n(' ', indent).chain(repeat_n('^', carets)).collect();
        format!("{shown}\n{marks}")
    }
}

/// The character, or a space where it does not print or would change how its neighbours print.
fn printable(character: char) -> char {
    if is_printable(character) {
        character
    } else {
        ' '
    }
}

fn is_printable(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\') || character.escape_debug().len() == 1
}

/// What was found, for a message: clipped, and with what does not print spelled out.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("`");
    for character in text.chars().take(QUOTED) {
        if is_printable(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_debug());
        }
    }
    if text.chars().nth(QUOTED).is_some() {
        shown.push('…');
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_what_is_wrong() {
        let text = "tcp and prot = 443";
        let error = FilterError::new(8, 4, "x");
        assert_eq!(error.excerpt(text), "tcp and prot = 443\n        ^^^^");
        let at_the_end = FilterError::new(text.len(), 0, "x");
        assert_eq!(
            at_the_end.excerpt(text),
            "tcp and prot = 443\n                  ^"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}é\n!{}", "a".repeat(100), "b".repeat(100));
        let error = FilterError::new(103, 1, "x");
        let excerpt = error.excerpt(&text);
        let (shown, marks) = excerpt.split_once('\n').unwrap();
        let expected = format!("…{}é !{}…", "a".repeat(46), "b".repeat(47));
        assert_eq!(shown, expected);
        assert_eq!(marks.chars().count(), 50);
        assert_eq!(shown.chars().nth(49), Some('!'));
    }

    #[test]
    fn places_outside_the_text_do_no_harm() {
        assert_eq!(FilterError::new(90, 7, "x").excerpt("é"), "é\n ^");
        assert_eq!(FilterError::new(1, 1, "x").excerpt("é"), "é\n^");
    }

    #[test]
    fn messages_repeat_a_clipped_text_that_prints() {
        assert_eq!(quoted("a'b\u{1b}\u{202e}"), "`a'b\\u{1b}\\u{202e}`");
        assert_eq!(quoted(&"x".repeat(90)).chars().count(), 43);
    }
}
