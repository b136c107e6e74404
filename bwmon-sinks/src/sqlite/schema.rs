/// What says that a file is bwmon's: `bwmn` in ASCII (SQLite's `application_id`).
pub const APPLICATION_ID: u32 = 0x6277_6d6e;

/// The layout that this version writes, and the newest that it reads (SQLite's `user_version`).
pub const SCHEMA_VERSION: u32 = 2;

/// Size of a page in bytes; settled when a file is made.
pub(super) const PAGE_BYTES: u32 = 8_192;

/// Layout of version 2. A commit is one row of `journal`; a generation of rows is made into `chunks` later.
/// What `agents` and `streams` say is as of the agent's `sealed_row`: its records of later rows are added to
/// it. `journal_state.removed` is the highest row that was removed: numbers of rows are never used again.
/// `chunks.class` is 1 for reports and 2 for what is none.
///
/// These are the tables that version 1 had, whose `agents` lack `sealed_row`, and whose third, `records`, is
/// gone.
pub(super) const AGENTS_LAYOUT: &str = "
CREATE TABLE agents (
    id            INTEGER PRIMARY KEY,
    agent         BLOB NOT NULL UNIQUE CHECK (length(agent) = 16),
    first_seen_us INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL,
    records       INTEGER NOT NULL DEFAULT 0,
    sealed_row    INTEGER NOT NULL DEFAULT 0
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
";

/// The tables that version 2 added.
pub(super) const JOURNAL_LAYOUT: &str = "
CREATE TABLE journal (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE journal_state (
    removed INTEGER NOT NULL
) STRICT;
INSERT INTO journal_state VALUES (0);

CREATE TABLE chunks (
    id           INTEGER PRIMARY KEY,
    agent        INTEGER NOT NULL REFERENCES agents (id),
    class        INTEGER NOT NULL,
    first_end_us INTEGER NOT NULL,
    last_end_us  INTEGER NOT NULL,
    records      INTEGER NOT NULL,
    body         BLOB NOT NULL
) STRICT;

CREATE INDEX chunks_by_end ON chunks (agent, class, last_end_us, first_end_us);
";
