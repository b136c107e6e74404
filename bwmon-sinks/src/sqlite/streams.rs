//! What has arrived of each epoch, in memory: the truth for the writer, which stores it when it seals.

use bwmon_core::report::{AgentId, Epoch};
use foldhash::HashMap;
use rusqlite::{Connection, OptionalExtension, params};

use super::ranges::Arrived;

/// Most epochs that are kept in memory, unless more have records in the journal.
const MAX_STREAMS: usize = 65_536;

/// An epoch of an agent.
pub(super) type StreamKey = (AgentId, Epoch);

/// What is kept of the epochs, those of long ago only in the file.
#[derive(Debug, Default)]
pub(super) struct Streams {
    known: HashMap<StreamKey, Stream>,
    /// Grows with each look-up.
    turn: u64,
}

/// One epoch.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) arrived: Arrived,
    /// The last row of the journal that has something of it; 0 for none since it was loaded.
    pub(super) last_row: i64,
    used: u64,
}

impl Streams {
    /// The state of a stream, from the file where it is not in memory.
    pub(super) fn load(
        &mut self,
        connection: &Connection,
        key: StreamKey,
    ) -> rusqlite::Result<&mut Stream> {
        use std::collections::hash_map::Entry;
        self.turn += 1;
        let stream = match self.known.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(Stream {
                arrived: read(connection, key)?,
                ..Stream::default()
            }),
        };
        stream.used = self.turn;
        Ok(stream)
    }

    pub(super) fn find(&self, key: &StreamKey) -> Option<&Stream> {
        self.known.get(key)
    }

    /// Notes that a row of the journal has something of a stream.
    pub(super) fn touch(&mut self, key: &StreamKey, row: i64) {
        if let Some(stream) = self.known.get_mut(key) {
            stream.last_row = row;
        }
    }

    pub(super) fn forget(&mut self, key: &StreamKey) {
        self.known.remove(key);
    }

    /// Keeps within the bound: lets go of what was not used for longest and is in the file as it is here,
    /// which is what has nothing in the rows after `sealed`.
    pub(super) fn prune(&mut self, sealed: i64) {
        if self.known.len() <= MAX_STREAMS {
            return;
        }
        let clean = self.known.iter().filter(|(_, it)| it.last_row <= sealed);
        let mut clean: Vec<(u64, StreamKey)> = clean.map(|(key, it)| (it.used, *key)).collect();
        clean.sort_unstable();
        // A quarter more than needed, so that this does not happen again at once.
        let surplus = self.known.len() - MAX_STREAMS * 3 / 4;
        for (_, key) in clean.into_iter().take(surplus) {
            self.known.remove(&key);
        }
    }
}

fn read(connection: &Connection, (agent, epoch): StreamKey) -> rusqlite::Result<Arrived> {
    let stored = connection
        .prepare_cached(
            "SELECT through, highest, missing FROM streams WHERE epoch = ?2
             AND agent = (SELECT id FROM agents WHERE agent = ?1)",
        )?
        .query_row(
            params![agent.0.to_be_bytes(), epoch.0.to_be_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)),
        )
        .optional()?;
    let Some((through, highest, missing)) = stored else {
        return Ok(Arrived::default());
    };
    let missing = serde_json::from_str(&missing).unwrap_or_default();
    let arrived = Arrived::restore(through, highest, missing);
    if arrived.is_none() {
        tracing::warn!(%agent, %epoch, "the state of a stream is damaged: what comes of it again is stored again");
    }
    Ok(arrived.unwrap_or_default())
}

/// Writes what has arrived of an epoch of the agent with this row.
pub(super) fn store(
    connection: &Connection,
    agent: i64,
    epoch: Epoch,
    arrived: &Arrived,
    updated_us: u64,
) -> rusqlite::Result<()> {
    let missing = serde_json::to_string(arrived.missing())
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare_cached(
            "INSERT INTO streams (agent, epoch, through, highest, missing, updated_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (agent, epoch) DO UPDATE SET through = excluded.through,
                 highest = excluded.highest, missing = excluded.missing,
                 updated_us = max(updated_us, excluded.updated_us)",
        )?
        .execute(params![
            agent,
            epoch.0.to_be_bytes(),
            arrived.through(),
            arrived.highest(),
            missing,
            updated_us,
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema::AGENTS_LAYOUT;

    #[test]
    fn only_what_the_file_knows_is_let_go_and_the_oldest_first() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(AGENTS_LAYOUT).unwrap();
        let mut streams = Streams::default();
        let key = |n: usize| (AgentId(1), Epoch(n as u128));
        for n in 0..=MAX_STREAMS {
            let stream = streams.load(&connection, key(n)).unwrap();
            stream.last_row = i64::from(n < 10);
        }
        streams.prune(0);
        assert_eq!(streams.known.len(), MAX_STREAMS * 3 / 4);
        let is_kept = |n| streams.find(&key(n)).is_some();
        assert!((0..10).all(is_kept));
        assert!(!is_kept(10) && is_kept(MAX_STREAMS));
    }
}
