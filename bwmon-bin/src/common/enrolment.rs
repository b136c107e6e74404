//! How an agent gets its identity: the token that an operator carries to it, and what is said over
//! HTTP. See docs/decisions/0016-agent-identity.md.

use std::fmt;
use std::str::FromStr;

use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ureq::http::uri::Authority;

use super::secret::{Fingerprint, HexError, Secret256, from_hex, parsed, to_hex};

/// Where an agent enrols.
pub const ENROL_PATH: &str = "/api/v1/enrol";
/// Where an agent asks whom its credential stands for.
pub const AGENT_PATH: &str = "/api/v1/agent";
/// What to do where a credential opens nothing.
pub const ENROL_AGAIN: &str = "enrol again: `bwmon-collector enrol-token` on the collector's host \
prints a token, `bwmon-agent enrol` on this one takes it";

/// How a token begins; the number is the version of its form.
const PREFIX: &str = "bwm1:";
/// Longest token that is read, in bytes.
pub const MAX_TOKEN_BYTES: usize = 1_024;
/// Longest name of a host that is kept, in characters.
const MAX_NAME_CHARS: usize = 255;

/// Tells one enrolment token from another; no secret. 16 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId([u8; 8]);

impl TokenId {
    /// Draws one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl FromStr for TokenId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        from_hex(text).map(Self)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

impl Serialize for TokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// What an operator carries from the collector to an agent: `bwm1:ADDRESS:PIN:ID.SECRET`. The place
/// of the pin, which will name the collector's certificate, is empty as long as there is no TLS.
#[derive(Debug, Clone)]
pub struct EnrolToken {
    /// Where the collector is, `HOST:PORT`.
    pub address: Authority,
    /// Which token it is.
    pub id: TokenId,
    /// What proves that it was given.
    pub secret: Secret256,
}

/// Why a text is no token that can be used. Nothing of the text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Something else.
    #[error(
        "this is no enrolment token: one is a single line that begins with bwm1: and is printed by \
         `bwmon-collector enrol-token`"
    )]
    Foreign,
    /// A form that this version does not know.
    #[error("the enrolment token is of a newer form; install the version of the collector here")]
    Newer,
    /// It asks for a check that this version cannot do.
    #[error(
        "the enrolment token pins the collector's certificate, and this version speaks no TLS: \
         install the version of the collector here"
    )]
    Pinned,
    /// A part is missing or wrong.
    #[error("the enrolment token is cut or damaged; copy the whole line again")]
    Damaged,
}

impl EnrolToken {
    /// The token as one line, with its secret.
    pub fn expose(&self) -> String {
        let Self { address, id, .. } = self;
        format!("{PREFIX}{address}::{id}.{}", self.secret.expose())
    }
}

impl FromStr for EnrolToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() > MAX_TOKEN_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Foreign);
        }
        let Some(rest) = text.strip_prefix(PREFIX) else {
            return Err(match is_of_another_version(text) {
                true => TokenError::Newer,
                false => TokenError::Foreign,
            });
        };
        // From the end, because the address of IPv6 has colons of its own.
        let mut parts = rest.rsplitn(3, ':');
        let (Some(key), Some(pin), Some(address)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Damaged);
        };
        let (id, secret) = key.split_once('.').ok_or(TokenError::Damaged)?;
        let damaged = |_: HexError| TokenError::Damaged;
        let token = Self {
            address: address_of(address).ok_or(TokenError::Damaged)?,
            id: id.parse().map_err(damaged)?,
            secret: secret.parse().map_err(damaged)?,
        };
        match pin {
            "" => Ok(token),
            _ => Err(TokenError::Pinned),
        }
    }
}

fn is_of_another_version(text: &str) -> bool {
    let version = text
        .strip_prefix("bwm")
        .and_then(|rest| rest.split_once(':'));
    version.is_some_and(|(version, _)| version.parse::<u32>().is_ok())
}

/// A host and a port that an agent can be sent to.
pub fn address_of(text: &str) -> Option<Authority> {
    let address: Authority = text.parse().ok()?;
    let has_port = address.port_u16().is_some_and(|port| port > 0);
    let is_plain = !address.host().is_empty() && !text.contains('@');
    (has_port && is_plain).then_some(address)
}

/// What an agent asks for with a token.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnrolmentRequest {
    /// Which token, 16 hexadecimal digits.
    #[schema(value_type = String)]
    pub token_id: TokenId,
    /// The token's secret, 64 hexadecimal digits.
    #[schema(value_type = String)]
    pub secret: Secret256,
    /// SHA-256 of the credential that the agent has drawn and stored, 64 hexadecimal digits.
    #[schema(value_type = String)]
    pub credential_sha256: Fingerprint,
    /// The name that the host gives itself, to be recognised by in `bwmon-collector agents list`.
    #[serde(default)]
    pub host_name: String,
}

impl EnrolmentRequest {
    /// The host's name as it is kept: bounded, and nothing in it that moves a terminal's cursor or
    /// turns the direction of what follows.
    pub fn kept_name(&self) -> String {
        let shown = self.host_name.chars().filter(|c| !is_invisible(*c));
        shown.take(MAX_NAME_CHARS).collect()
    }
}

/// Control characters, and those of the Unicode Bidirectional Algorithm (UAX 9, section 2).
fn is_invisible(c: char) -> bool {
    let is_bidi = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_bidi
}

/// What an enrolled agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Enrolment {
    /// Its identity, 32 hexadecimal digits.
    #[schema(value_type = String)]
    pub agent: AgentId,
}

/// What the collector says to an agent that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KnownAgent {
    /// Its identity, 32 hexadecimal digits.
    #[schema(value_type = String)]
    pub agent: AgentId,
    /// Version of the wire model that the collector reads.
    pub schema: u32,
    /// The collector's clock, in microseconds since the Unix epoch.
    #[serde(rename = "server_time_us")]
    #[schema(value_type = u64)]
    pub server_time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(address: &str) -> EnrolToken {
        EnrolToken {
            address: address_of(address).unwrap(),
            id: TokenId::draw().unwrap(),
            secret: Secret256::draw().unwrap(),
        }
    }

    #[test]
    fn a_token_reads_back_with_any_kind_of_address() {
        for address in ["127.0.0.1:8000", "[2001:db8::1]:8000", "monitor.example:80"] {
            let token = token(address);
            let text = format!(" {}\n", token.expose());
            let again: EnrolToken = text.parse().unwrap();
            assert_eq!(again.address, address);
            assert_eq!(again.id, token.id);
            assert_eq!(again.secret.expose(), token.secret.expose());
            assert!(!format!("{again:?}").contains(&token.secret.expose()));
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_and_says_why() {
        let good = token("127.0.0.1:8000").expose();
        let cases = [
            (String::new(), TokenError::Foreign),
            (
                "correct horse battery staple".to_owned(),
                TokenError::Foreign,
            ),
            (format!("{good}\n{good}"), TokenError::Foreign),
            (good.replace("bwm1", "bwm2"), TokenError::Newer),
            (good.replace("::", ":cafe:"), TokenError::Pinned),
            (good.replace("::", ":"), TokenError::Damaged),
            (good.replace(":8000", ""), TokenError::Damaged),
            (good.replace("127", "me@127"), TokenError::Damaged),
            (good[..good.len() - 1].to_owned(), TokenError::Damaged),
            (format!("{good}0"), TokenError::Damaged),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<EnrolToken>().unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn no_cut_is_taken_and_no_changed_byte_makes_it_panic() {
        let text = token("[2001:db8::1]:8000").expose();
        for length in 0..text.len() {
            assert!(text[..length].parse::<EnrolToken>().is_err(), "{length}");
        }
        for at in 0..text.len() {
            for byte in [b'0', b':', b'.', b']', b'@', b'/', b' ', 0] {
                let mut changed = text.clone().into_bytes();
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                // What still is a token reads back as it was written.
                if let Ok(token) = changed.parse::<EnrolToken>() {
                    assert_eq!(token.expose(), changed);
                }
            }
        }
    }

    #[test]
    fn a_name_is_kept_bounded_and_without_control_characters() {
        let request = EnrolmentRequest {
            token_id: TokenId::draw().unwrap(),
            secret: Secret256::draw().unwrap(),
            credential_sha256: Secret256::draw().unwrap().fingerprint(),
            host_name: format!("a\u{1b}[2J\u{202e}b{}", "é".repeat(1_000)),
        };
        let kept = request.kept_name();
        assert!(kept.starts_with("a[2Jbé") && kept.chars().count() == MAX_NAME_CHARS);
    }
}
