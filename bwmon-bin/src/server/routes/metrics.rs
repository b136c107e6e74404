//! The collector's own metrics; docs/metrics.md lists them.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::common::exposition::{self, Exposition, Kind, float};
use crate::server::ingest::MemoryBudget;
use crate::server::problem::Problem;
use crate::server::state::App;

/// Metrics of the collector itself
///
/// In Prometheus' exposition format.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "meta",
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
        (status = "default", description = "Why not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn metrics(State(app): State<App>) -> Response {
    let mut text = Exposition::default();
    records(&mut text, &app);
    commits(&mut text, &app);
    journal(&mut text, &app);
    state(&mut text, &app);
    legacy(&mut text, &app);
    ([(CONTENT_TYPE, exposition::CONTENT_TYPE)], text.finish()).into_response()
}

fn records(text: &mut Exposition, app: &App) {
    let counters = app.counters().read(app.live());
    text.labelled(
        Kind::Counter,
        "bwmon_collector_records_total",
        "Records that agents delivered, by what became of them.",
        "fate",
        &[
            ("stored", float(counters.records_stored)),
            ("duplicate", float(counters.records_duplicate)),
            ("refused", float(counters.records_refused)),
        ],
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_records_received_total",
        "Records that the store was asked to take: those of every fate, and those handed back.",
        float(counters.records_received),
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_records_handed_back_total",
        "Records of which nothing can be promised, because the queue was full or the store has trouble: they come again.",
        float(counters.records_handed_back),
    );
    text.labelled(
        Kind::Counter,
        "bwmon_collector_deliveries_failed_total",
        "Deliveries that were not taken, by why: busy or in trouble, without a credential, not readable.",
        "reason",
        &[
            ("turned_away", float(counters.deliveries_turned_away)),
            ("unauthorised", float(counters.deliveries_unauthorised)),
            ("malformed", float(counters.deliveries_malformed)),
        ],
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_unknown_fields_total",
        "Fields of deliveries that this version does not know and skipped.",
        float(counters.unknown_fields),
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_reports_moved_total",
        "Reports whose times were moved because the clock of their host is wrong.",
        float(counters.reports_moved),
    );
}

fn commits(text: &mut Exposition, app: &App) {
    let store = app.journal();
    text.labelled(
        Kind::Counter,
        "bwmon_collector_commits_total",
        "Groups of deliveries that were committed together, by how that ended.",
        "result",
        &[
            ("done", float(store.commits)),
            ("failed", float(store.commits_failed)),
        ],
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_commit_seconds_total",
        "Time that commits took.",
        store.commit_time.as_secs_f64(),
    );
    let (waiting, most) = app.inbox().waiting();
    text.value(
        Kind::Gauge,
        "bwmon_collector_queue_deliveries",
        "Deliveries that wait for the writer.",
        float(waiting as u64),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_queue_limit_deliveries",
        "Deliveries that may wait; further ones are turned away.",
        float(most as u64),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_delivery_memory_bytes",
        "Memory that deliveries under way take.",
        float(app.memory_budget().used() as u64),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_delivery_memory_limit_bytes",
        "Memory that deliveries under way may take; further ones are turned away.",
        float(MemoryBudget::BYTES as u64),
    );
}

fn journal(text: &mut Exposition, app: &App) {
    let figures = app.journal();
    let families = [
        (
            Kind::Counter,
            "bwmon_collector_journal_committed_records_total",
            "Records that commits brought.",
            figures.committed_records,
        ),
        (
            Kind::Counter,
            "bwmon_collector_journal_committed_bytes_total",
            "Bytes of the rows that commits added to the journal.",
            figures.committed_bytes,
        ),
        (
            Kind::Gauge,
            "bwmon_collector_journal_rows",
            "Rows of the journal: what a start has to read back.",
            figures.journal_rows,
        ),
        (
            Kind::Gauge,
            "bwmon_collector_journal_bytes",
            "Size of the journal's rows, which are held in memory too.",
            figures.journal_bytes,
        ),
        (
            Kind::Counter,
            "bwmon_collector_journal_replays_total",
            "How often the journal was read back: at the start, and after an error in doubt.",
            figures.replays,
        ),
        (
            Kind::Counter,
            "bwmon_collector_seals_total",
            "Generations of the journal that became chunks.",
            figures.generations,
        ),
        (
            Kind::Counter,
            "bwmon_collector_sealed_records_total",
            "Records that became part of chunks.",
            figures.sealed_records,
        ),
        (
            Kind::Counter,
            "bwmon_collector_chunks_total",
            "Chunks that were written.",
            figures.chunks,
        ),
        (
            Kind::Gauge,
            "bwmon_collector_wal_bytes",
            "What the write-ahead log held after the last commit.",
            figures.wal_bytes,
        ),
        (
            Kind::Counter,
            "bwmon_collector_checkpoints_total",
            "How often the write-ahead log was copied into the database.",
            figures.checkpoints,
        ),
        (
            Kind::Gauge,
            "bwmon_collector_database_bytes",
            "Size of the database with its write-ahead log.",
            app.store().reader().size_bytes(),
        ),
    ];
    for (kind, name, help, value) in families {
        text.value(kind, name, help, float(value));
    }
}

fn state(text: &mut Exposition, app: &App) {
    let counters = app.counters().read(app.live());
    text.value(
        Kind::Gauge,
        "bwmon_collector_hosts",
        "Hosts that have reported and are still stored.",
        float(app.live().len()),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_hosts_with_wrong_clock",
        "Hosts whose clock is more than five seconds off.",
        float(app.live().clocks().wrong() as u64),
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_live_reports_evicted_total",
        "Reports of the last minute that memory let go early because its bound was reached.",
        float(counters.live_reports_evicted),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_connections",
        "Connections open now.",
        float(counters.connections),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_event_streams",
        "Event streams open now.",
        float(counters.event_streams),
    );
}

/// Agents of the original program.
fn legacy(text: &mut Exposition, app: &App) {
    let counters = app.legacy().counters();
    text.labelled(
        Kind::Counter,
        "bwmon_collector_legacy_requests_total",
        "Requests of agents of the original program, by what became of them.",
        "outcome",
        &counters
            .outcomes()
            .map(|(outcome, count)| (outcome, float(count))),
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_legacy_clocks_replaced_total",
        "Reports of such agents that got the collector's time, because theirs is absent or far ahead.",
        float(counters.clocks_replaced()),
    );
    text.value(
        Kind::Counter,
        "bwmon_collector_legacy_values_skipped_total",
        "Values of such reports that mean nothing and were left out.",
        float(counters.values_skipped()),
    );
    let (hosts, most) = app.legacy().hosts();
    text.value(
        Kind::Gauge,
        "bwmon_collector_legacy_hosts",
        "Hosts without a credential that are known.",
        float(hosts as u64),
    );
    text.value(
        Kind::Gauge,
        "bwmon_collector_legacy_hosts_limit",
        "How many may be known; reports of further ones are refused.",
        float(most as u64),
    );
}
