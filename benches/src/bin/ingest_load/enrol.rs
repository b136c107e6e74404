//! Enrols the hosts that report, as docs/decisions/0016-agent-identity.md describes it.

use std::fmt::Write as _;
use std::io::read_to_string;

use sha2::{Digest, Sha256};

use crate::http::Connection;
use crate::payload::post;

/// Enrols so many hosts with the token on standard input; their credentials as they are sent.
pub(crate) async fn all(address: &str, count: usize) -> Result<Vec<String>, String> {
    let token = read_to_string(std::io::stdin()).map_err(|error| error.to_string())?;
    let (_, key) = token.trim().rsplit_once(':').ok_or("there is no token")?;
    let (id, secret) = key.split_once('.').ok_or("the token is cut")?;
    let mut connection = Connection::open(address).await?;
    let mut credentials = Vec::with_capacity(count);
    for number in 0..count {
        let mut credential = [0; 32];
        fastrand::fill(&mut credential);
        let body = serde_json::json!({
            "token_id": id,
            "secret": secret,
            "credential_sha256": hex(&Sha256::digest(credential)),
            "host_name": format!("host-{number}"),
        });
        let headers = "content-type: application/json\r\n";
        let request = post("/api/v1/enrol", headers, body.to_string().as_bytes());
        connection.ask(&request).await?;
        credentials.push(hex(&credential));
    }
    Ok(credentials)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
