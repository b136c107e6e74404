//! Text in a buffer: whatever the place and the size, nothing is drawn outside of it.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::super::theme::Theme;

/// A buffer to draw in.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    pub(super) theme: &'a Theme,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme }
    }

    /// Writes `text` from column `x` of line `line` of `area`, and answers with the column after it.
    pub(super) fn text(&mut self, area: Rect, line: u16, x: u16, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if line >= area.height || x >= area.width {
            return x;
        }
        let room = usize::from(area.width - x);
        let (end, _) = self
            .buffer
            .set_stringn(area.x + x, area.y + line, text, room, style);
        end.saturating_sub(area.x)
    }

    /// Writes `text` so that it ends with the line.
    pub(super) fn text_at_end(&mut self, area: Rect, line: u16, text: &str, style: Style) {
        let start = usize::from(area.width).saturating_sub(text.chars().count());
        let start = u16::try_from(start).unwrap_or(u16::MAX);
        self.text(area, line, start, text, style);
    }

    /// Lays `style` over a whole line.
    pub(super) fn style_line(&mut self, area: Rect, line: u16, style: Style) {
        let area = area.intersection(self.buffer.area);
        if line < area.height {
            let line = Rect {
                y: area.y + line,
                height: 1,
                ..area
            };
            self.buffer.set_style(line, style);
        }
    }
}

/// A piece of text that stays together.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk(pub(super) Vec<(String, Style)>);

impl Chunk {
    /// A piece of one style.
    pub(super) fn new(text: impl Into<String>, style: Style) -> Self {
        Self(vec![(text.into(), style)])
    }

    /// The same with more text.
    #[must_use]
    pub(super) fn and(mut self, text: impl Into<String>, style: Style) -> Self {
        self.0.push((text.into(), style));
        self
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.chars().count()).sum()
    }
}

/// Sets chunks in lines of `width`, two spaces between them; one that is too wide for a line has one
/// of its own and is cut.
pub(super) fn set(chunks: Vec<Chunk>, width: u16) -> Vec<Vec<Chunk>> {
    let mut lines: Vec<Vec<Chunk>> = Vec::new();
    let mut used = 0;
    for chunk in chunks {
        let wide = chunk.width();
        match lines.last_mut() {
            Some(line) if used + 2 + wide <= usize::from(width) => {
                used += 2 + wide;
                line.push(chunk);
            }
            _ => {
                used = wide;
                lines.push(vec![chunk]);
            }
        }
    }
    lines
}

/// Sets `text` in lines of `width`, broken at its blanks, and within a word only where that is too
/// long for a line.
pub(super) fn wrap(text: &str, width: u16, style: Style) -> Vec<Vec<Chunk>> {
    let width = usize::from(width).max(1);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let letters: Vec<char> = word.chars().collect();
                let parts = letters.chunks(width);
                lines.extend(parts.map(|part| part.iter().collect::<String>()));
            }
        }
    }
    let chunk = |line| vec![Chunk::new(line, style)];
    lines.into_iter().map(chunk).collect()
}

/// Draws lines of chunks.
pub(super) fn draw_lines(canvas: &mut Canvas<'_>, area: Rect, lines: &[Vec<Chunk>]) {
    for (line, chunks) in (0..area.height).zip(lines) {
        let mut x = 0;
        for chunk in chunks {
            for (text, style) in &chunk.0 {
                x = canvas.text(area, line, x, text, *style);
            }
            x = x.saturating_add(2);
        }
    }
}

/// `text` in at most `width` characters; what is left out, in its middle, is marked. The port of an
/// endpoint stays as long as there is room for it.
pub(super) fn elide(text: &str, width: usize, ellipsis: char) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let Some(kept) = width.checked_sub(1) else {
        return String::new();
    };
    let tail = (kept - kept / 2).max(port_length(text)).min(kept);
    let start = text.chars().take(kept - tail);
    let end = text.chars().skip(count - tail);
    start.chain([ellipsis]).chain(end).collect()
}

/// Characters of `:443` at the end of an endpoint; those of an address alone are none.
fn port_length(text: &str) -> usize {
    let is_bare_ipv6 = !text.starts_with('[') && text.matches(':').count() > 1;
    match text.rfind(':') {
        Some(at) if !is_bare_ipv6 => text.len() - at,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_marked() {
        let address = "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:443";
        assert_eq!(elide(address, 42, '…'), address);
        assert_eq!(elide(address, 21, '…'), "[2001:db8:…:7348]:443");
        assert_eq!(elide(address, 8, '…'), "[20…:443");
        assert_eq!(elide("192.0.2.1:50123", 8, '…'), "1…:50123");
        assert_eq!(elide("2001:db8::1234:5678", 9, '…'), "2001…5678");
        assert_eq!(elide(address, 2, '…'), "…3");
        assert_eq!(elide(address, 1, '…'), "…");
        assert_eq!(elide(address, 0, '…'), "");
    }

    #[test]
    fn no_letter_is_lost_in_wrapping() {
        let lines = wrap("TCP [2001:db8::1]:443 ok", 10, Style::new());
        let texts: Vec<String> = lines.iter().map(|line| line[0].0[0].0.clone()).collect();
        assert_eq!(texts, ["TCP", "[2001:db8:", ":1]:443 ok"]);
    }

    #[test]
    fn chunks_stay_together() {
        let chunks = ["12345", "123", "1234567890"].map(|text| Chunk::new(text, Style::new()));
        let lines = set(chunks.to_vec(), 10);
        let lengths: Vec<usize> = lines.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1]);
    }
}
