use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Fewest characters of a token.
const MIN_CHARS: usize = 16;
/// Largest token file, in bytes.
const MAX_BYTES: u64 = 4_096;
/// Fewest different characters, so that nobody takes `aaaaaaaaaaaaaaaa`.
const MIN_DISTINCT: usize = 6;

/// A shared secret, held as its SHA-256.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// Why a token was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file could not be read.
    #[error("cannot read the token file {path}: {source}; {HOW}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than its owner and group may read the file.
    #[error(
        "the token file {path} can be read by every user of this machine; run `chmod 600 {path}`",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The token is too short or too simple.
    #[error("the token {why}; {HOW}")]
    Weak {
        /// What is wrong with it.
        why: &'static str,
    },
}

/// How to make a token.
const HOW: &str = "make one with `(umask 077; head -c 32 /dev/urandom | base64 > token)`";

impl Token {
    /// Reads a token from a file, surrounding white space cut.
    ///
    /// # Errors
    /// When the file cannot be read, every user can read it, or the token is weak.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let read_error = |source| TokenError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(read_error)?;
        let mode = file.metadata().map_err(read_error)?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(TokenError::Exposed {
                path: path.to_owned(),
            });
        }
        let mut text = String::new();
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(read_error)?;
        Self::parse(&text)
    }

    /// Takes a token, surrounding white space cut.
    ///
    /// # Errors
    /// When it is weak.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let token = text.trim();
        if token.chars().count() < MIN_CHARS {
            return Err(TokenError::Weak {
                why: "is shorter than 16 characters",
            });
        }
        if token.chars().any(char::is_control) {
            return Err(TokenError::Weak {
                why: "is more than one line",
            });
        }
        let distinct = token.chars().collect::<std::collections::BTreeSet<_>>();
        if distinct.len() < MIN_DISTINCT {
            return Err(TokenError::Weak {
                why: "has fewer than 6 different characters",
            });
        }
        Ok(Self(Sha256::digest(token).into()))
    }

    /// Compares in constant time.
    pub fn matches(&self, sent: &str) -> bool {
        let sent: [u8; 32] = Sha256::digest(sent.trim()).into();
        self.0.ct_eq(&sent).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_tokens_are_refused_with_the_way_to_a_good_one() {
        for weak in [
            "",
            "short",
            "aaaaaaaaaaaaaaaaaaaa",
            "one line\nand another line",
        ] {
            let message = Token::parse(weak).unwrap_err().to_string();
            assert!(message.contains("/dev/urandom"), "{message}");
        }
    }

    #[test]
    fn a_file_that_everybody_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "correct horse battery staple\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let message = Token::read(&path).unwrap_err().to_string();
        assert!(message.contains("chmod 600"), "{message}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(
            Token::read(&path)
                .unwrap()
                .matches("correct horse battery staple")
        );
    }
}
