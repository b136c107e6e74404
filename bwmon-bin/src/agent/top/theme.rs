//! Colours and signs that hold on any terminal.
//!
//! Nothing is said by colour alone. The colours are of the fixed part of the 256-colour palette,
//! chosen to be read on black and on white: 3.5 : 1 against either at least (WCAG 2.2, 1.4.11), and
//! told apart by those who see no difference between red and green. Where the terminal has fewer,
//! its own foreground is used.

use ratatui_core::style::{Color, Modifier, Style};

/// What the environment says of the terminal.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// `NO_COLOR` (<https://no-color.org>): set and not empty.
    pub(super) no_color: bool,
    /// `TERM`.
    pub(super) term: String,
    /// `COLORTERM`.
    pub(super) colorterm: String,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set.
    pub(super) locale: String,
}

impl Environment {
    /// This process's.
    pub(super) fn of_process() -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let locales = ["LC_ALL", "LC_CTYPE", "LANG"].map(var);
        Self {
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            term: var("TERM"),
            colorterm: var("COLORTERM"),
            locale: locales
                .into_iter()
                .find(|l| !l.is_empty())
                .unwrap_or_default(),
        }
    }

    fn has_colours(&self) -> bool {
        let is_rich = self.term.contains("256") || self.term.contains("direct");
        !self.no_color && (is_rich || !self.colorterm.is_empty())
    }

    /// Where no locale is set most terminals take UTF-8 all the same, the Linux console not.
    fn is_unicode(&self) -> bool {
        let locale = self.locale.to_ascii_lowercase();
        let is_told = locale.contains("utf-8") || locale.contains("utf8");
        self.term != "linux" && self.term != "dumb" && (is_told || locale.is_empty())
    }
}

/// How things look.
#[derive(Debug, Clone)]
pub(super) struct Theme {
    /// What was received.
    pub(super) received: Style,
    /// What was sent.
    pub(super) sent: Style,
    /// What belongs together: the view, the heads of columns.
    pub(super) head: Style,
    /// What matters most in its line.
    pub(super) strong: Style,
    /// What matters less.
    pub(super) faint: Style,
    /// What is wrong.
    pub(super) warning: Style,
    /// The row that is selected, the view that is shown.
    pub(super) selected: Style,
    /// Signs that are drawn.
    pub(super) signs: Signs,
}

/// Signs that are drawn, in Unicode or in ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signs {
    /// Eight heights, the lowest first, for trends.
    pub(super) heights: [char; 8],
    /// Eight parts of a cell, the narrowest first, for bars.
    pub(super) parts: [char; 8],
    /// Large numbers first.
    pub(super) descending: char,
    /// Small numbers first.
    pub(super) ascending: char,
    /// Where something is left out.
    pub(super) ellipsis: char,
    /// Between what is listed.
    pub(super) dot: char,
    /// From the whole into a part.
    pub(super) into: char,
}

const UNICODE: Signs = Signs {
    heights: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    parts: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    descending: '▼',
    ascending: '▲',
    ellipsis: '…',
    dot: '·',
    into: '›',
};

const ASCII: Signs = Signs {
    heights: ['_', '.', '-', '~', '=', '+', '*', '#'],
    parts: [' ', ' ', ' ', '-', '-', '-', '=', '='],
    descending: 'v',
    ascending: '^',
    ellipsis: '~',
    dot: '|',
    into: '>',
};

impl Theme {
    /// What suits the terminal.
    pub(super) fn suiting(environment: &Environment) -> Self {
        let plain = Style::new();
        let has_colours = environment.has_colours();
        let colour = |index| {
            if has_colours {
                plain.fg(Color::Indexed(index))
            } else {
                plain
            }
        };
        Self {
            received: colour(32),
            sent: colour(166),
            head: plain.add_modifier(Modifier::UNDERLINED),
            strong: plain.add_modifier(Modifier::BOLD),
            faint: if has_colours { colour(243) } else { plain },
            warning: colour(160).add_modifier(Modifier::BOLD),
            selected: plain.add_modifier(Modifier::REVERSED),
            signs: if environment.is_unicode() {
                UNICODE
            } else {
                ASCII
            },
        }
    }
}

impl Signs {
    /// A bar of `share` (0 to 1) that is at most `width` characters long.
    pub(super) fn bar(&self, share: f64, width: usize) -> String {
        let eighths = eighths(share, width);
        let mut bar: String = [self.parts[7]].repeat(eighths / 8).iter().collect();
        if let Some(part) = (eighths % 8)
            .checked_sub(1)
            .and_then(|at| self.parts.get(at))
        {
            bar.push(*part);
        }
        bar
    }

    /// The last `width` of `history` (newest first) as a line of heights up to its own highest,
    /// oldest first. What is not nothing has a height.
    pub(super) fn trend(&self, history: &[f64], width: usize) -> String {
        let shown = history.get(..width.min(history.len())).unwrap_or_default();
        let highest = shown.iter().copied().fold(0.0, f64::max);
        let height = |value: f64| {
            if value <= 0.0 || highest <= 0.0 {
                return ' ';
            }
            let at = eighths(value / highest, 1).clamp(1, 8) - 1;
            self.heights.get(at).copied().unwrap_or(' ')
        };
        shown.iter().rev().map(|value| height(*value)).collect()
    }
}

/// How many eighths of `width` a share takes.
fn eighths(share: f64, width: usize) -> usize {
    let whole = width.saturating_mul(8);
    // Counted up rather than converted: a float has no lossless way to an integer.
    let target = share.clamp(0.0, 1.0) * whole as f64;
    (0..whole).take_while(|n| *n as f64 + 0.5 <= target).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(term: &str, locale: &str) -> Environment {
        Environment {
            term: term.to_owned(),
            locale: locale.to_owned(),
            ..Environment::default()
        }
    }

    #[test]
    fn colours_need_a_terminal_that_has_them_and_nobody_who_forbids_them() {
        let rich = environment("xterm-256color", "en_US.UTF-8");
        assert!(Theme::suiting(&rich).received.fg.is_some());
        let forbidden = Environment {
            no_color: true,
            ..rich
        };
        let theme = Theme::suiting(&forbidden);
        for style in [theme.received, theme.sent, theme.warning, theme.faint] {
            assert_eq!(style.fg, None);
        }
        let poor = environment("vt220", "en_US.UTF-8");
        assert!(Theme::suiting(&poor).sent.fg.is_none());
    }

    /// Relative luminance and contrast as WCAG 2.2 defines them.
    #[test]
    fn colours_are_read_on_black_and_on_white() {
        let theme = Theme::suiting(&environment("xterm-256color", ""));
        for style in [theme.received, theme.sent, theme.warning, theme.faint] {
            let Some(Color::Indexed(index)) = style.fg else {
                panic!("a fixed colour");
            };
            let luminance = luminance(index);
            let on_black = (luminance + 0.05) / 0.05;
            let on_white = 1.05 / (luminance + 0.05);
            assert!(
                on_black >= 3.5 && on_white >= 3.5,
                "{index}: {on_black:.2} {on_white:.2}"
            );
        }
    }

    fn luminance(index: u8) -> f64 {
        const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        let rgb = if index >= 232 {
            [8 + (index - 232) * 10; 3]
        } else {
            let cube = usize::from(index - 16);
            [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[level])
        };
        let linear = rgb.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn a_terminal_without_unicode_gets_ascii() {
        for (term, locale, is_ascii) in [
            ("xterm-256color", "C", true),
            ("linux", "en_US.UTF-8", true),
            ("xterm", "de_DE.utf8", false),
            ("screen", "", false),
        ] {
            let signs = Theme::suiting(&environment(term, locale)).signs;
            assert_eq!(signs == ASCII, is_ascii, "{term} {locale}");
        }
    }

    #[test]
    fn bars_and_trends_fit() {
        assert_eq!(UNICODE.bar(0.0, 4), "");
        assert_eq!(UNICODE.bar(1.0, 4), "████");
        assert_eq!(UNICODE.bar(0.53, 4), "██▏");
        assert_eq!(UNICODE.bar(f64::NAN, 4), "");
        assert_eq!(UNICODE.trend(&[8.0, 0.0, 1.0, 0.001], 4), "▁▁ █");
        assert_eq!(UNICODE.trend(&[0.0; 4], 4), "    ");
        assert_eq!(UNICODE.trend(&[1.0; 4], 2), "██");
    }
}
