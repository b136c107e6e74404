/// What says that a file is bwmon's: `bwmn` in ASCII (SQLite's `application_id`).
pub const APPLICATION_ID: u32 = 0x6277_6d6e;

/// The layout that this version writes, and the newest that it reads (SQLite's `user_version`).
pub const SCHEMA_VERSION: u32 = 1;

/// Size of a page in bytes; settled when a file is made.
pub(super) const PAGE_BYTES: u32 = 8_192;

/// Layout of version 1. `agents.records` counts the agent's rows in `records`.
pub(super) const LAYOUT: &str = "
CREATE TABLE agents (
    id            INTEGER PRIMARY KEY,
    agent         BLOB NOT NULL UNIQUE CHECK (length(agent) = 16),
    first_seen_us INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL,
    records       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE streams (
    agent      INTEGER NOT NULL REFERENCES agents (id),
    epoch      BLOB NOT NULL CHECK (length(epoch) = 16),
    through    INTEGER NOT NULL,
    highest    INTEGER NOT NULL,
    missing    TEXT NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (agent, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
    id          INTEGER PRIMARY KEY,
    agent       INTEGER NOT NULL REFERENCES agents (id),
    epoch       BLOB NOT NULL CHECK (length(epoch) = 16),
    seq         INTEGER NOT NULL CHECK (seq > 0),
    kind        INTEGER NOT NULL,
    start_us    INTEGER NOT NULL,
    end_us      INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    body        BLOB NOT NULL,
    UNIQUE (agent, epoch, seq)
) STRICT;

CREATE INDEX records_by_end ON records (agent, end_us);
";

/// `records.kind` of a report.
pub(super) const KIND_REPORT: u8 = 1;
/// `records.kind` of records that will never come.
pub(super) const KIND_DROPPED: u8 = 2;
/// `records.kind` of the first record of an epoch.
pub(super) const KIND_EPOCH_START: u8 = 3;
