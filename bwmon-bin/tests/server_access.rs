//! Who gets in: the token, sessions, host names and origins.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod server_common;

use bwmon_bin::server::StartError;
use bwmon_bin::server::assets::Page;
use bwmon_bin::server::config::Config;
use bwmon_core::report::{AgentId, RecordBody};
use server_common::{
    AGENT, Answer, Collector, TOKEN, bearer, config, delete, document, get, post, raw, report,
    with_token,
};

/// Every path that shows or takes data.
const GUARDED: [&str; 9] = [
    "/api/v1/hosts",
    "/api/v1/hosts/000000000000000000000000000000a1",
    "/api/v1/hosts/000000000000000000000000000000a1/series",
    "/api/v1/hosts/000000000000000000000000000000a1/traffic",
    "/api/v1/hosts/ffffffffffffffffffffffffffffffff",
    "/api/v1/events?host=ffffffffffffffffffffffffffffffff",
    "/api/v1/openapi.json",
    "/api/v1/events",
    "/metrics",
];

fn guarded() -> (tempfile::TempDir, Collector) {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(with_token(folder.path()), Page::default());
    (folder, collector)
}

/// Delivers with these headers, and no credential beside them.
fn deliver(collector: &Collector, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = document(vec![report(7, 1, 2)]);
    post(&collector.url("/api/v1/ingest"), &body, &all)
}

fn log_in(collector: &Collector, token: &str) -> Answer {
    let body = serde_json::json!({ "token": token }).to_string();
    let headers = [("content-type", "application/json")];
    post(&collector.url("/api/v1/session"), body.as_bytes(), &headers)
}

fn session(collector: &Collector) -> String {
    let answer = log_in(collector, TOKEN);
    assert_eq!(answer.status, 204, "{}", answer.text());
    let cookie = answer.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(TOKEN));
    cookie.split(';').next().unwrap().to_owned()
}

/// Status of a request whose answer may never end.
fn status(collector: &Collector, path: &str, headers: &str) -> u16 {
    use std::io::{BufRead, BufReader, Write};
    let mut stream = std::net::TcpStream::connect(collector.address).unwrap();
    let host = collector.address;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn every_route_that_shows_data_needs_the_token_or_a_session() {
    let (_folder, collector) = guarded();
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(collector.deliver(AGENT, vec![report(7, 1, 2)]).status, 200);
    let cookie = session(&collector);
    for path in GUARDED {
        assert_eq!(status(&collector, path, ""), 401, "{path}");
        let found = if path.contains("ffff") { 404 } else { 200 };
        let with_token = format!("Authorization: {bearer}\r\n");
        assert_eq!(status(&collector, path, &with_token), found, "{path}");
        let with_cookie = format!("Cookie: {cookie}\r\n");
        assert_eq!(status(&collector, path, &with_cookie), found, "{path}");
        assert_eq!(
            status(&collector, path, "Cookie: bwmon_session=0\r\n"),
            401,
            "{path}"
        );
    }
    let wrong = get(
        &collector.url(GUARDED[0]),
        &[("authorization", "Bearer nope")],
    );
    wrong.problem(401);
    assert_eq!(wrong.header("www-authenticate"), "Bearer");
}

#[test]
fn what_opens_the_page_does_not_open_what_agents_do_and_the_other_way_round() {
    let (_folder, collector) = guarded();
    let (token, own) = (format!("Bearer {TOKEN}"), collector.url(""));
    let cookie = session(&collector);
    for headers in [
        vec![],
        vec![("authorization", token.as_str())],
        vec![("cookie", cookie.as_str()), ("origin", own.as_str())],
        vec![("authorization", "Bearer nope")],
        vec![("authorization", "Basic Zm9vOmJhcg==")],
    ] {
        let problem = deliver(&collector, &headers).problem(401);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("bwmon-agent enrol"), "{detail}");
        get(&collector.url("/api/v1/agent"), &headers).problem(401);
    }
    let headers = [("authorization", token.as_str())];
    let health = get(&collector.url("/api/v1/health"), &headers).json();
    assert_eq!(health["counters"]["deliveries_unauthorised"], 5);
    assert_eq!(health["counters"]["deliveries_malformed"], 0);
    let credential = bearer(AGENT);
    let headers = [("authorization", credential.as_str())];
    let known = get(&collector.url("/api/v1/agent"), &headers);
    assert_eq!(known.json()["agent"], AGENT.to_string());
    for path in GUARDED {
        let header = format!("Authorization: {credential}\r\n");
        assert_eq!(status(&collector, path, &header), 401, "{path}");
    }
}

#[test]
fn the_list_of_guarded_routes_is_complete() {
    let document = bwmon_bin::server::openapi::build();
    let open = ["/api/v1/health", "/api/v1/session"];
    let of_agents = [
        "/api/v1/enrol",
        "/api/v1/agent",
        "/api/v1/agent/peers",
        "/api/v1/ingest",
    ];
    for path in document
        .paths
        .paths
        .keys()
        .filter(|path| ![&open[..], &of_agents].concat().contains(&path.as_str()))
    {
        let path = path.replace("{id}", &AGENT.to_string());
        assert!(GUARDED.contains(&path.as_str()), "add {path} to the matrix");
    }
}

#[test]
fn peers_are_told_to_agents_only_and_not_the_one_that_asks() {
    let (_folder, collector) = guarded();
    let url = collector.url("/api/v1/agent/peers");
    let person = format!("Bearer {TOKEN}");
    assert_eq!(get(&url, &[]).status, 401);
    assert_eq!(get(&url, &[("authorization", &person)]).status, 401);
    let mut record = report(7, 1, 2);
    if let RecordBody::Report(interval) = &mut record.body {
        let host = interval.host.get_or_insert_default();
        host.facts.addresses = vec!["192.0.2.10".parse().unwrap()];
    }
    assert_eq!(collector.deliver(AGENT, vec![record]).status, 200);
    let peers = |agent| {
        let answer = get(&url, &[("authorization", &bearer(agent))]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["peers"].as_array().unwrap().clone()
    };
    assert_eq!(peers(AGENT), Vec::<serde_json::Value>::new());
    let told = peers(AgentId(1));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["agent"], AGENT.to_string());
    assert_eq!(told[0]["address"], "192.0.2.10");
}

#[test]
fn health_and_the_login_form_are_open_and_tell_nothing() {
    let (_folder, collector) = guarded();
    let bearer = format!("Bearer {TOKEN}");
    collector.deliver(AGENT, vec![report(7, 1, 2)]);
    let health = collector.get("/api/v1/health").json();
    assert_eq!(
        (&health["status"], &health["auth_required"]),
        (&"ok".into(), &true.into())
    );
    for hidden in [
        "schema",
        "hosts",
        "server_time_us",
        "database_bytes",
        "counters",
    ] {
        assert!(health[hidden].is_null(), "{health}");
    }
    let known = get(
        &collector.url("/api/v1/health"),
        &[("authorization", &bearer)],
    )
    .json();
    assert_eq!(known["hosts"], 1);
    for path in ["/plain", "/"] {
        let form = collector.get(path);
        assert_eq!(form.status, 401);
        assert!(
            form.text()
                .contains("<form method=\"post\" action=\"/plain\">")
        );
        assert!(!form.text().contains("alpha"), "{}", form.text());
    }
}

#[test]
fn the_plain_form_opens_a_session() {
    let (_folder, collector) = guarded();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let url = collector.url("/plain");
    let wrong = post(&url, b"token=nope", &headers);
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("role=\"alert\""));
    let right = post(&url, format!("token={TOKEN}").as_bytes(), &headers);
    assert_eq!((right.status, right.header("location")), (303, "/plain"));
    let cookie = right.header("set-cookie").split(';').next().unwrap();
    let table = get(&url, &[("cookie", cookie)]);
    assert_eq!(table.status, 200);
    post(&url, b"other=1", &headers).problem(422);
}

#[test]
fn a_session_ends_when_it_is_closed_and_changes_need_our_own_origin() {
    let (_folder, collector) = guarded();
    let cookie = session(&collector);
    let url = collector.url("/api/v1/session");
    let own = collector.url("");
    let hosts = collector.url("/api/v1/hosts");
    delete(&url, &[("cookie", &cookie)]).problem(403);
    delete(
        &url,
        &[("cookie", &cookie), ("origin", "http://evil.example")],
    )
    .problem(403);
    deliver(&collector, &[("cookie", &cookie)]).problem(403);
    assert_eq!(get(&hosts, &[("cookie", &cookie)]).status, 200);
    let closed = delete(&url, &[("cookie", &cookie), ("origin", &own)]);
    assert_eq!(closed.status, 204);
    assert!(closed.header("set-cookie").contains("Max-Age=0"));
    get(&hosts, &[("cookie", &cookie)]).problem(401);
}

#[test]
fn wrong_tokens_are_counted_and_refused() {
    let (_folder, collector) = guarded();
    let statuses: Vec<u16> = (0..7).map(|_| log_in(&collector, "nope").status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let blocked = log_in(&collector, "nope");
    assert_eq!(blocked.header("retry-after"), "60");
    assert_eq!(
        log_in(&collector, TOKEN).status,
        204,
        "the right one always helps"
    );
    let url = collector.url("/api/v1/session");
    post(&url, br#"{"token":"x"}"#, &[("content-type", "text/plain")]).problem(415);
    let unknown = br#"{"token":"x","user":"y"}"#;
    post(&url, unknown, &[("content-type", "application/json")]).problem(400);
    let large = vec![b' '; 100_000];
    post(&url, &large, &[("content-type", "application/json")]).problem(413);
}

#[test]
fn a_foreign_host_name_is_misdirected() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(config(folder.path()), Page::default());
    let port = collector.address.port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), "200"),
        (format!("localhost:{port}"), "200"),
        (format!("[::1]:{port}"), "200"),
        (format!("evil.example:{port}"), "421"),
        ("127.0.0.1.evil.example".to_owned(), "421"),
        (format!("192.0.2.1:{port}"), "421"),
    ] {
        let request =
            format!("GET /api/v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = raw(collector.address, request.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{host}: {answer}"
        );
    }
    let foreign = [("origin", "http://evil.example")];
    deliver(&collector, &foreign).problem(403);
}

#[test]
fn other_addresses_than_loopback_need_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let anywhere = "0.0.0.0:0".parse().unwrap();
    let open = Config {
        listen: anywhere,
        ..config(folder.path())
    };
    let error = Collector::try_start(open, Page::default()).err().unwrap();
    assert!(matches!(error, StartError::TokenNeeded { .. }));
    let message = error.to_string();
    assert!(
        message.contains("/dev/urandom") && message.contains("--token-file"),
        "{message}"
    );
    assert!(!folder.path().join("data").exists());
    let guarded = Config {
        listen: anywhere,
        ..with_token(folder.path())
    };
    let collector = Collector::start(guarded, Page::default());
    let port = collector.address.port();
    let url = format!("http://127.0.0.1:{port}/api/v1/hosts");
    get(&url, &[("host", "monitor.example")]).problem(401);
    let bearer = format!("Bearer {TOKEN}");
    let answer = get(
        &url,
        &[("host", "monitor.example"), ("authorization", &bearer)],
    );
    assert_eq!(answer.status, 200);
    // Browsers ignore it there, and complain.
    assert_eq!(answer.header("cross-origin-opener-policy"), "");
}
