//! Secrets that machines draw, and what is kept of them.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A text that is not as many hexadecimal digits as it must be. It does not show the text, which may
/// be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hexadecimal digits")]
pub struct HexError {
    digits: usize,
}

/// 256 random bits. They are shown by [`Self::expose`] and by serialising, and by nothing else.
#[derive(Clone)]
pub struct Secret256([u8; 32]);

/// The SHA-256 of a [`Secret256`]: tells it from others, and does not let anybody in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Secret256 {
    /// Draws one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The secret as 64 hexadecimal digits, for the one place that sends or stores it.
    pub fn expose(&self) -> String {
        to_hex(&self.0)
    }

    /// What may be kept of it by who has to recognise it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0).into())
    }
}

impl Fingerprint {
    /// Whether both are of the same secret, in a time that does not tell where they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Secret256 {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        from_hex(text).map(Self)
    }
}

impl FromStr for Fingerprint {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        from_hex(text).map(Self)
    }
}

impl fmt::Debug for Secret256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret256(..)")
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

impl Serialize for Secret256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// Reads a text that stands for a value.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = HexError>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Two lower-case digits per byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _is_written = write!(text, "{byte:02x}");
        text
    })
}

/// Reads exactly `N` bytes, two digits each.
pub(super) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let error = HexError { digits: 2 * N };
    if text.len() != 2 * N || !text.is_ascii() {
        return Err(error);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|digit| (*digit as char).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(error);
        };
        *byte = u8::try_from(high << 4 | low).map_err(|_| error)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_and_is_not_shown() {
        let secret = Secret256::draw().unwrap();
        let text = secret.expose();
        assert_eq!(text.len(), 64);
        let again: Secret256 = text.parse().unwrap();
        assert!(again.fingerprint().is(&secret.fingerprint()));
        assert_ne!(
            secret.fingerprint(),
            Secret256::draw().unwrap().fingerprint()
        );
        let shown = format!("{secret:?} {:?}", secret.fingerprint());
        assert_eq!(shown, "Secret256(..) Fingerprint(..)");
    }

    #[test]
    fn the_fingerprint_is_the_sha_256_of_the_bytes() {
        // FIPS 180-4's function over 32 zero bytes, by coreutils' sha256sum.
        let zero: Secret256 = "0".repeat(64).parse().unwrap();
        assert_eq!(
            to_hex(zero.fingerprint().bytes()),
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
    }

    #[test]
    fn anything_else_is_refused_without_being_shown() {
        for bad in [
            "",
            "geheim",
            &"g".repeat(64),
            &"é".repeat(32),
            &"0".repeat(65),
        ] {
            let error = bad.parse::<Secret256>().unwrap_err().to_string();
            assert_eq!(error, "expected 64 hexadecimal digits");
        }
    }
}
