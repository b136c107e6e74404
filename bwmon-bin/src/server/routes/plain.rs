//! A table of hosts without any script, rendered here.

use std::fmt::Write as _;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, SET_COOKIE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use bwmon_core::query::{HostStatus, HostSummary};
use bwmon_core::report::CaptureMethod;
use bwmon_core::time::Timestamp;

use crate::server::auth::Access;
use crate::server::guard::Peer;
use crate::server::model::SessionRequest;
use crate::server::problem::ApiError;
use crate::server::routes::session;
use crate::server::state::App;

const STYLE: &str = include_str!("plain.css");
const NOT_BUILT: &str = "<p class=\"note\">The page with charts is missing: it was not built into \
this collector. Build it with <code>cd frontend &amp;&amp; npm ci &amp;&amp; npm run build</code>, \
then build the collector again.</p>";

/// The table, or the form that asks for the token.
pub async fn plain(State(app): State<App>, Extension(access): Extension<Access>) -> Response {
    render(&app, access)
}

/// Takes the token from the form.
pub async fn log_in(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    form: Result<Form<SessionRequest>, FormRejection>,
) -> Response {
    let request = match form {
        Ok(Form(request)) => request,
        Err(rejection) => {
            return ApiError::new(rejection.status(), rejection.body_text()).into_response();
        }
    };
    match session::log_in(&app, peer, &request.token) {
        Ok(Some(cookie)) => ([(SET_COOKIE, cookie)], Redirect::to("/plain")).into_response(),
        Ok(None) => Redirect::to("/plain").into_response(),
        Err(error) if error.status() == StatusCode::TOO_MANY_REQUESTS => form_page(
            error.status(),
            "Too many wrong tokens came from this address. Wait a minute.",
        ),
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
            form_page(error.status(), "That token is wrong.")
        }
        Err(error) => error.into_response(),
    }
}

/// The style of both.
pub async fn style() -> impl IntoResponse {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(CONTENT_TYPE, kind)], STYLE)
}

/// The table where the request may see it, else the form.
pub fn render(app: &App, access: Access) -> Response {
    if !access.is_granted() {
        return form_page(StatusCode::UNAUTHORIZED, "");
    }
    let list = app.live().list();
    let mut body = String::with_capacity(4_096);
    if !app.page().is_built() {
        body.push_str(NOT_BUILT);
    }
    table(&mut body, &list.hosts, list.server_time);
    let refresh = "<meta http-equiv=\"refresh\" content=\"5\">";
    document(StatusCode::OK, refresh, &body)
}

fn form_page(status: StatusCode, message: &str) -> Response {
    let alert = if message.is_empty() {
        String::new()
    } else {
        format!("<p role=\"alert\" class=\"note\">{}</p>", escape(message))
    };
    let body = format!(
        "{alert}<form method=\"post\" action=\"/plain\"><label for=\"token\">Token of this \
         collector</label> <input id=\"token\" name=\"token\" type=\"password\" required \
         autocomplete=\"current-password\"> <button>Show hosts</button></form>"
    );
    document(status, "", &body)
}

fn document(status: StatusCode, head: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">{head}<title>bwmon hosts</title><link \
         rel=\"stylesheet\" href=\"/plain.css\"></head><body><main><h1>Hosts</h1>{body}</main>\
         </body></html>"
    );
    (status, Html(html)).into_response()
}

const NO_HOST: &str = "<p>No host has reported yet. Print a token with \
<code>bwmon-collector enrol-token</code>, give it to <code>bwmon-agent enrol</code> on the host, and \
start <code>bwmon-agent</code> there.</p>";

fn table(into: &mut String, hosts: &[HostSummary], now: Timestamp) {
    if hosts.is_empty() {
        into.push_str(NO_HOST);
        return;
    }
    into.push_str("<table><thead><tr>");
    for title in [
        "Host",
        "Status",
        "CPU",
        "Memory",
        "Disk",
        "Received",
        "Sent",
        "Top peer",
        "Capture",
        "Last seen",
    ] {
        let _infallible = write!(into, "<th scope=\"col\">{title}</th>");
    }
    into.push_str("</tr></thead><tbody>");
    for host in hosts {
        row(into, host, now);
    }
    into.push_str("</tbody></table>");
}

fn row(into: &mut String, host: &HostSummary, now: Timestamp) {
    let status = match host.status {
        HostStatus::Up => "up",
        HostStatus::Stale => "stale",
    };
    let trust = if host.is_authenticated {
        ""
    } else {
        ", unauthenticated"
    };
    let side = |pick: fn(&bwmon_core::frame::PerDirection<f64>) -> f64| {
        host.throughput_bps
            .as_ref()
            .map_or_else(missing, |bps| bits_per_second(pick(bps)))
    };
    let peer = host.top_peer.as_ref();
    let cells = [
        format!("{status}{trust}"),
        percent(host.cpu_percent),
        percent(host.memory_percent),
        percent(host.disk_percent),
        side(|bps| bps.ingress),
        side(|bps| bps.egress),
        peer.map_or_else(missing, |peer| peer.address.to_string()),
        method(host.capture.method).to_owned(),
        format!("{} ago", age(now.since(host.last_seen).as_secs())),
    ];
    let name = escape(&host.name);
    let _infallible = write!(into, "<tr class=\"{status}\"><th scope=\"row\">{name}</th>");
    for cell in cells {
        let _infallible = write!(into, "<td>{}</td>", escape(&cell));
    }
    into.push_str("</tr>");
}

const fn method(method: CaptureMethod) -> &'static str {
    match method {
        CaptureMethod::AfPacket => "packets",
        CaptureMethod::Libpcap => "packets (libpcap)",
        CaptureMethod::SockDiag => "TCP only",
        CaptureMethod::HostPairs => "between hosts only",
        CaptureMethod::Counters => "counters only",
    }
}

fn missing() -> String {
    "–".to_owned()
}

fn percent(value: Option<f32>) -> String {
    value.map_or_else(missing, |percent| format!("{percent:.1} %"))
}

/// SI prefixes, three digits.
fn bits_per_second(bps: f64) -> String {
    let scales = [(1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")];
    let found = scales.iter().find(|(scale, _)| bps >= *scale);
    match found {
        Some((scale, unit)) => format!("{:.2} {unit}", bps / scale),
        None => format!("{bps:.0} bit/s"),
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Text for HTML. Characters that would change what is read, such as those that turn its direction,
/// are spelt out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ if is_deceptive(character) => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Control characters, and those that are invisible or turn the direction of text.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup_or_deceive() {
        assert_eq!(
            escape("<script>'a'&\"b\"</script>"),
            "&lt;script&gt;&#39;a&#39;&amp;&quot;b&quot;&lt;/script&gt;"
        );
        assert_eq!(escape("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
        assert_eq!(escape("Größe 1 µs"), "Größe 1 µs");
    }

    #[test]
    fn quantities_carry_their_unit() {
        assert_eq!(bits_per_second(999.0), "999 bit/s");
        assert_eq!(bits_per_second(1_500_000.0), "1.50 Mbit/s");
        assert_eq!(age(119), "119 s");
        assert_eq!(age(7_199), "119 min");
        assert_eq!(age(400_000), "4 d");
    }
}
