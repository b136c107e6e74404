//! Configuration in layers: defaults < TOML file < environment < flags.
//!
//! Each binary has one struct with `#[serde(deny_unknown_fields, default)]` that a TOML file fills
//! ([`load`]), and one clap `Args` struct of `Option`s with `#[arg(long, env = "BWMON_...")]`, which
//! puts flags over the environment by itself. [`overlay`] lays the second over the first.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Largest configuration file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why a configuration file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("cannot read the configuration file {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error(
        "the configuration file {path} has {bytes} bytes, at most {MAX_FILE_BYTES} are read",
        path = path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It is not TOML, has an unknown key, or a value of the wrong kind.
    #[error("{path}:{line}:{column}: {message}", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
}

/// Reads the TOML file at `path` over the defaults; without a path, the defaults.
///
/// # Errors
/// When the file cannot be read, is too large, or does not parse; unknown keys are errors where the
/// type denies unknown fields.
pub fn load<T: DeserializeOwned + Default>(path: Option<&Path>) -> Result<T, ConfigError> {
    let Some(path) = path else {
        return Ok(T::default());
    };
    let read_error = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(read_error)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    parse(&std::fs::read_to_string(path).map_err(read_error)?, path)
}

/// Parses TOML; `path` is named in errors.
///
/// # Errors
/// As [`load`], with line and column.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let (line, column) = position(text, start);
        ConfigError::Parse {
            path: path.to_owned(),
            line,
            column,
            message: error.message().to_owned(),
        }
    })
}

/// Puts `value` into `slot` where a higher layer gives one.
pub fn overlay<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// Line and column, both from 1, of the byte at `offset`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (before.matches('\n').count() + 1, column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        interval: u32,
        names: Vec<String>,
        nested: Nested,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Nested {
        depth: u8,
    }

    fn error(text: &str) -> String {
        parse::<Sample>(text, Path::new("bwmon.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn unknown_keys_are_errors_with_line_and_column() {
        let message = error("interval = 2\n\n  intervall = 3\n");
        assert!(
            message.starts_with("bwmon.toml:3:3: unknown field `intervall`"),
            "{message}"
        );
        let message = error("[nested]\ndept = 1\n");
        assert!(
            message.starts_with("bwmon.toml:2:1: unknown field `dept`"),
            "{message}"
        );
    }

    #[test]
    fn wrong_values_are_errors_with_line_and_column() {
        let message = error("names = []\ninterval = \"two\"\n");
        assert!(
            message.starts_with("bwmon.toml:2:12: invalid type"),
            "{message}"
        );
        let message = error("names = [\n");
        assert!(message.starts_with("bwmon.toml:"), "{message}");
    }

    #[test]
    fn without_a_file_the_defaults_hold_and_a_missing_file_is_named() {
        assert_eq!(load::<Sample>(None).unwrap(), Sample::default());
        let message = load::<Sample>(Some(Path::new("/nonexistent/bwmon.toml")))
            .unwrap_err()
            .to_string();
        assert!(message.contains("/nonexistent/bwmon.toml"), "{message}");
    }

    #[test]
    fn a_higher_layer_wins_only_where_it_speaks() {
        let mut slot = 1;
        overlay(&mut slot, None);
        assert_eq!(slot, 1);
        overlay(&mut slot, Some(2));
        assert_eq!(slot, 2);
    }
}
