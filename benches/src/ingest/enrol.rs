//! Enrols hosts, as docs/decisions/0016-agent-identity.md describes it.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::http::{Connection, post};

/// Enrols hosts with a token of `bwmon-collector enrol-token`, those of these numbers; their credentials as
/// they are sent.
///
/// # Errors
/// Where the token is none, or the collector does not take it.
pub async fn enrol(
    address: &str,
    token: &str,
    numbers: impl IntoIterator<Item = usize>,
) -> Result<Vec<String>, String> {
    let (_, key) = token.trim().rsplit_once(':').ok_or("there is no token")?;
    let (id, secret) = key.split_once('.').ok_or("the token is cut")?;
    let mut connection = Connection::open(address).await?;
    let mut credentials = Vec::new();
    for number in numbers {
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
        let answer = connection.ask(&request).await?;
        if answer.status != 200 {
            let words = String::from_utf8_lossy(answer.body);
            return Err(format!("host {number} is not enrolled: {words}"));
        }
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
