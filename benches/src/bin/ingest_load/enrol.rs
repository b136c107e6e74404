//! Enrols the hosts that report.

use std::io::read_to_string;

use bwmon_bin::common::enrolment::{ENROL_PATH, EnrolToken, EnrolmentRequest};
use bwmon_bin::common::secret::Secret256;

use crate::http::Connection;
use crate::payload::post;

/// Enrols so many hosts with the token on standard input; their credentials.
pub(crate) async fn all(address: &str, count: usize) -> Result<Vec<Secret256>, String> {
    let text = read_to_string(std::io::stdin()).map_err(|error| error.to_string())?;
    let token: EnrolToken = text.parse().map_err(|error| format!("{error}"))?;
    let mut connection = Connection::open(address).await?;
    let mut credentials = Vec::with_capacity(count);
    for number in 0..count {
        let credential = Secret256::draw().map_err(|error| error.to_string())?;
        let request = EnrolmentRequest {
            token_id: token.id,
            secret: token.secret.clone(),
            credential_sha256: credential.fingerprint(),
            host_name: format!("host-{number}"),
        };
        let body = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
        let headers = "content-type: application/json\r\n";
        connection.ask(&post(ENROL_PATH, headers, &body)).await?;
        credentials.push(credential);
    }
    Ok(credentials)
}
