//! A small reader of Rust sources: enough of the language to see which modules a file names.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file, cut into words and signs; comments and literals are left out.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path below the workspace, as shown in messages.
    pub(crate) file: PathBuf,
    /// Path below the crate's `src`, which says the module.
    pub(crate) module: PathBuf,
    tokens: Vec<Token>,
}

/// A module or item at the root of a crate that a file names, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

impl Source {
    /// Every `.rs` file below `workspace/package/src`.
    pub(crate) fn of_package(workspace: &Path, package: &str) -> Vec<Self> {
        let root = workspace.join(package).join("src");
        let mut files = Vec::new();
        list(&root, &mut files);
        files.sort();
        files
            .into_iter()
            .map(|path| {
                let text = fs::read_to_string(&path).expect("a source file is readable text");
                let module = path.strip_prefix(&root).expect("listed below src");
                let file = path.strip_prefix(workspace).expect("listed below it");
                Self::new(file, module, &text)
            })
            .collect()
    }

    /// A source that is given as text.
    pub(crate) fn new(file: &Path, module: &Path, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            module: module.to_owned(),
            tokens: tokens(&blank(text)),
        }
    }

    /// The top-level module that the file belongs to: `packet` for `packet/tests.rs`, `time` for
    /// `time.rs`, `lib` for the crate's root.
    pub(crate) fn room(&self) -> String {
        let first = self.module.components().next().expect("a file has a name");
        let name = first.as_os_str().to_string_lossy();
        name.strip_suffix(".rs").unwrap_or(&name).to_owned()
    }

    /// What follows `root::` anywhere in the file, groups opened: `crate::{a, b::c}` names a and b.
    pub(crate) fn names_after(&self, root: &str) -> Vec<Reference> {
        let starts = (0..self.tokens.len()).filter(|&at| self.text(at) == root);
        starts
            .flat_map(|at| self.heads_after_colons(at + 1))
            .collect()
    }

    /// What the file names at the root of its own crate, through `crate::` or a chain of `super::`.
    pub(crate) fn names_at_own_root(&self) -> Vec<Reference> {
        let mut found = self.names_after("crate");
        let depth = self.depth();
        let mut at = 0;
        while at < self.tokens.len() {
            let chain = self.super_chain(at);
            if chain > 0 && chain >= depth {
                found.extend(self.heads_after_colons(at + 3 * chain - 2));
            }
            at += (3 * chain).max(1);
        }
        found
    }

    /// Lines with the word `word`.
    pub(crate) fn lines_with(&self, word: &str) -> Vec<usize> {
        let with = self.tokens.iter().filter(|token| token.text == word);
        with.map(|token| token.line).collect()
    }

    /// Lines inside function bodies where a feature is asked for (`cfg(feature ..)` or `cfg!(..)`).
    pub(crate) fn features_in_functions(&self) -> Vec<usize> {
        let mut lines = Vec::new();
        for at in (0..self.tokens.len()).filter(|&at| self.text(at) == "fn") {
            if let Some((open, close)) = self.body(at) {
                let asked = (open..close).filter(|&at| self.is_cfg_of_feature(at));
                lines.extend(asked.map(|at| self.line(at)));
            }
        }
        lines.dedup();
        lines
    }

    fn text(&self, at: usize) -> &str {
        self.tokens
            .get(at)
            .map_or("", |token: &Token| token.text.as_str())
    }

    fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(0, |token| token.line)
    }

    fn is_colons(&self, at: usize) -> bool {
        self.text(at) == ":" && self.text(at + 1) == ":"
    }

    /// How many modules deep the file is: 1 for `time.rs` and `packet/mod.rs`, 2 for `flow/key.rs`.
    fn depth(&self) -> usize {
        let parts = self.module.components().count();
        let is_folder_root = self.module.ends_with("mod.rs") || self.room() == "lib";
        if is_folder_root { parts - 1 } else { parts }
    }

    fn super_chain(&self, at: usize) -> usize {
        (0..)
            .take_while(|n| self.text(at + 3 * n) == "super" && self.is_colons(at + 3 * n + 1))
            .count()
    }

    fn heads_after_colons(&self, at: usize) -> Vec<Reference> {
        if !self.is_colons(at) {
            return Vec::new();
        }
        let at = at + 2;
        if self.text(at) != "{" {
            return vec![self.reference(at)];
        }
        let mut heads = Vec::new();
        let mut depth = 0_usize;
        for at in at..self.tokens.len() {
            match self.text(at) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if depth == 1 && matches!(self.text(at), "{" | ",") {
                heads.push(self.reference(at + 1));
            }
        }
        heads.retain(|head| head.name != "}");
        heads
    }

    fn reference(&self, at: usize) -> Reference {
        Reference {
            name: self.text(at).to_owned(),
            line: self.line(at),
        }
    }

    /// The braces around the body of the function whose keyword is at `at`; none for a declaration
    /// and for the type of a function pointer.
    fn body(&self, at: usize) -> Option<(usize, usize)> {
        let mut depth = 0_usize;
        for open in at..self.tokens.len() {
            match self.text(open) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.checked_sub(1)?,
                ";" if depth == 0 => return None,
                "{" if depth == 0 => return Some((open, self.closing(open))),
                _ => {}
            }
        }
        None
    }

    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for at in open..self.tokens.len() {
            match self.text(at) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.tokens.len()
    }

    fn is_cfg_of_feature(&self, at: usize) -> bool {
        let is_near = |next| self.line(next) <= self.line(at) + 3;
        matches!(self.text(at), "cfg" | "cfg_attr")
            && (at + 1..at + 12).any(|next| self.text(next) == "feature" && is_near(next))
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("a source folder is readable").path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The text with comments, strings and character literals replaced by blanks, line by line.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = literal_or_comment(rest);
        let (taken, is_kept) = match skipped {
            0 => (first.len_utf8(), true),
            n => (n, false),
        };
        let (head, tail) = rest.split_at(taken);
        if is_kept {
            out.push_str(head);
        } else {
            out.push(' ');
            out.extend(head.chars().filter(|&c| c == '\n'));
        }
        rest = tail;
    }
    out
}

/// Length in bytes of the comment or literal that `rest` starts with; 0 if it starts with neither.
fn literal_or_comment(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with("r\"") || rest.starts_with("r#") {
        return raw_string(rest);
    }
    if rest.starts_with('\'') {
        let mut after = rest.chars().skip(1);
        let (first, second) = (after.next(), after.next());
        if first == Some('\\') || second == Some('\'') {
            return quoted(rest, '\'');
        }
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> usize {
    let hashes = rest.chars().skip(1).take_while(|&c| c == '#').count();
    let is_string = rest
        .get(1 + hashes..)
        .is_some_and(|tail| tail.starts_with('"'));
    if !is_string {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    let found = rest.get(body..).and_then(|tail| tail.find(&end));
    found.map_or(rest.len(), |at| body + at + end.len())
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let mut word = String::new();
        for c in text.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                let text = std::mem::take(&mut word);
                tokens.push(Token { text, line });
            }
            if !c.is_whitespace() {
                let text = c.to_string();
                tokens.push(Token { text, line });
            }
        }
    }
    tokens
}
