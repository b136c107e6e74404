use super::error::{FilterError, quoted};

/// A word or sign of a filter, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) sign: Sign<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sign<'a> {
    /// A name or a value.
    Word(&'a str),
    /// A value in quotes, without them.
    Quoted(String),
    Open,
    Close,
    Comma,
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    And,
    Or,
    Not,
    In,
    End,
}

/// Cuts a text into words and signs.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next one; at the end of the text, [`Sign::End`] for ever.
    pub(super) fn next(&mut self) -> Result<Token<'a>, FilterError> {
        let rest = self.rest().trim_start();
        let start = self.text.len() - rest.len();
        let sign = match rest.chars().next() {
            None => Sign::End,
            Some(quote @ ('"' | '\'')) => return self.quoted(start, quote),
            Some(_) => match symbol(rest) {
                Some((sign, length)) => {
                    self.at = start + length;
                    sign
                }
                None => return self.word(start),
            },
        };
        if sign == Sign::End {
            self.at = start;
        }
        let end = self.at;
        Ok(Token { sign, start, end })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn word(&mut self, start: usize) -> Result<Token<'a>, FilterError> {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        if word.is_empty() {
            return Err(stray(rest, start));
        }
        self.at = start + length;
        Ok(Token {
            sign: keyword(word).unwrap_or(Sign::Word(word)),
            start,
            end: self.at,
        })
    }

    /// What is between two quotes; a backslash takes the next character as it is.
    fn quoted(&mut self, start: usize, quote: char) -> Result<Token<'a>, FilterError> {
        let mut text = String::new();
        let body = self.text.get(start..).unwrap_or_default();
        let mut characters = body.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.at = start + at + quote.len_utf8();
                return Ok(Token {
                    sign: Sign::Quoted(text),
                    start,
                    end: self.at,
                });
            }
            let literal = match character {
                '\\' => characters.next(),
                plain => Some((at, plain)),
            };
            match literal {
                Some((at, control)) if control.is_control() => {
                    let message = "found a control character within quotes";
                    return Err(FilterError::new(start + at, control.len_utf8(), message));
                }
                other => text.extend(other.map(|(_, literal)| literal)),
            }
        }
        let message = format!("this quote is not closed: expected another {quote}");
        Err(FilterError::new(start, body.len(), message))
    }
}

/// Whether a word may hold it; the others are signs, quotes, white space and controls.
pub(super) fn is_word(character: char) -> bool {
    !character.is_whitespace()
        && !character.is_control()
        && !matches!(
            character,
            '(' | ')' | ',' | '=' | '!' | '<' | '>' | '&' | '|' | '"' | '\'' | '\\'
        )
}

/// The keyword that a word is, in any case.
pub(super) fn keyword(word: &str) -> Option<Sign<'static>> {
    [
        ("and", Sign::And),
        ("or", Sign::Or),
        ("not", Sign::Not),
        ("in", Sign::In),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(word))
    .map(|(_, sign)| sign)
}

/// The sign that the text starts with, the longest one first, and its length in bytes.
fn symbol(text: &str) -> Option<(Sign<'static>, usize)> {
    [
        ("&&", Sign::And),
        ("||", Sign::Or),
        ("==", Sign::Equal),
        ("!=", Sign::NotEqual),
        ("<=", Sign::AtMost),
        (">=", Sign::AtLeast),
        ("=", Sign::Equal),
        ("!", Sign::Not),
        ("<", Sign::Less),
        (">", Sign::More),
        ("(", Sign::Open),
        (")", Sign::Close),
        (",", Sign::Comma),
    ]
    .into_iter()
    .find(|(name, _)| text.starts_with(name))
    .map(|(name, sign)| (sign, name.len()))
}

fn stray(rest: &str, start: usize) -> FilterError {
    let found = rest.chars().next().unwrap_or_default();
    let text = quoted(found.encode_utf8(&mut [0; 4]));
    let message = match found {
        '&' => "found a single `&`: write `and` or `&&`".to_owned(),
        '|' => "found a single `|`: write `or` or `||`".to_owned(),
        '\\' => format!("found {text}, which has a meaning within quotes only"),
        _ => format!("found {text}, which has no meaning in a filter"),
    };
    FilterError::new(start, found.len_utf8(), message)
}
