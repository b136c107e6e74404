//! Requests that name this machine.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;

/// Whether a request names loopback as its host: a browser that was led astray by DNS sends the name that
/// it was given.
pub fn is_named(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(is_name)
}

fn is_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    // A host has no user (RFC 9110, section 7.2), and a port is a number.
    let rest = host.strip_prefix(name).unwrap_or("@");
    let is_port = |rest: &str| {
        let port = rest.strip_prefix(':');
        port.is_some_and(|port| port.parse::<u16>().is_ok())
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (rest.is_empty() || is_port(rest)) && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn only_names_of_loopback_are_this_host() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9463",
            "127.9.9.9:1",
            "localhost",
            "LocalHost:9463",
            "[::1]",
            "[::1]:9463",
        ] {
            assert!(is_name(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "example.org:9463",
            "127.0.0.1.example.org",
            "localhost.example.org",
            "192.0.2.1:9463",
            "[2001:db8::1]:9463",
            "0.0.0.0:9463",
            "user@127.0.0.1",
            "127.0.0.1:99999",
            "127.0.0.1:",
        ] {
            assert!(!is_name(host), "{host}");
        }
    }
}
