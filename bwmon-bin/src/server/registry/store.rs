use std::path::{Path, PathBuf};
use std::time::Duration;

use bwmon_core::report::AgentId;
use bwmon_core::time::Timestamp;
use rusqlite::{
    Connection, OptionalExtension, Params, Row, Transaction, TransactionBehavior, params,
};

use super::error::{EnrolError, RegistryError};
use super::file;
use crate::common::enrolment::{EnrolmentRequest, TokenId};
use crate::common::secret::Fingerprint;

/// Most tokens that are open at once.
const MAX_TOKENS: u64 = 1_024;
/// Most agents that are not revoked.
const MAX_AGENTS: u64 = 10_000;
/// Most revoked agents that are remembered; beyond, those revoked first are forgotten.
const MAX_REVOKED: u64 = 10_000;
/// How long an expired token is kept, so that an agent whose answer was lost still gets it.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// A token that is to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct NewToken {
    /// Which.
    pub id: TokenId,
    /// Of its secret.
    pub secret: Fingerprint,
    /// From when on it is expired.
    pub expires: Timestamp,
    /// How many agents it enrols.
    pub uses: u32,
}

/// An agent as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredAgent {
    /// Its identity.
    pub agent: AgentId,
    /// Of its credential.
    pub credential: Fingerprint,
    /// What its host called itself when it enrolled.
    pub name: String,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// Whether its credential still opens anything.
    pub state: AgentState,
}

/// Whether an agent's credential opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentState {
    /// It may report.
    Enrolled,
    /// It may not any more, since then.
    Revoked(Timestamp),
}

/// What revoking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The agent may not report any more.
    Done,
    /// It was revoked before.
    Already,
    /// No agent has this identity.
    Unknown,
}

/// Tokens and agents in one SQLite file. Its calls block.
#[derive(Debug)]
pub struct Registry {
    connection: Connection,
    path: PathBuf,
}

impl Registry {
    /// Opens the file; makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be used, or is not ours.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        Ok(Self {
            connection: file::open(path)?,
            path: path.to_owned(),
        })
    }

    /// Accepts a token from now on, and forgets those that are long over.
    ///
    /// # Errors
    /// When too many are open, or the file cannot be written.
    pub fn accept(&mut self, token: &NewToken, now: Timestamp) -> Result<(), RegistryError> {
        let open = self.transact(|transaction| {
            transaction.execute(
                "DELETE FROM tokens WHERE expires_us <= ?1",
                [now.minus(KEPT).as_micros()],
            )?;
            let open = count(
                transaction,
                "SELECT count(*) FROM tokens WHERE used < uses AND expires_us > ?1",
                [now.as_micros()],
            )?;
            if open < MAX_TOKENS {
                transaction.execute(
                    "INSERT INTO tokens (id, secret_sha256, expires_us, uses) VALUES (?1, ?2, ?3, ?4)",
                    params![
                        token.id.bytes(),
                        token.secret.bytes(),
                        token.expires.as_micros(),
                        token.uses
                    ],
                )?;
            }
            Ok(open)
        })?;
        match open {
            MAX_TOKENS.. => Err(RegistryError::TooManyTokens { open }),
            _ => Ok(()),
        }
    }

    /// Enrols an agent under the identity `fresh`, and spends one use of its token. The same token
    /// with the same credential once more gives what it gave before and spends nothing, so that an
    /// agent whose answer was lost asks again.
    ///
    /// # Errors
    /// When the token does not allow it, no more agents are kept, or the file cannot be written.
    pub fn enrol(
        &mut self,
        request: &EnrolmentRequest,
        fresh: AgentId,
        now: Timestamp,
    ) -> Result<AgentId, EnrolError> {
        let judged = self.transact(|transaction| {
            let judgement = judge(transaction, request, now)?;
            if judgement == Judgement::Enrol {
                register(transaction, request, fresh, now)?;
            }
            Ok(judgement)
        })?;
        match judged {
            Judgement::Enrol => Ok(fresh),
            Judgement::Known(agent) => Ok(agent),
            Judgement::Refuse => Err(EnrolError::Refused),
            Judgement::Full(agents) => Err(EnrolError::Full { agents }),
        }
    }

    /// Ends an agent's right to report.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn revoke(&mut self, agent: AgentId, now: Timestamp) -> Result<Revocation, RegistryError> {
        self.transact(|transaction| {
            let id = agent.0.to_be_bytes();
            let changed = transaction.execute(
                "UPDATE agents SET revoked_us = ?2 WHERE agent = ?1 AND revoked_us IS NULL",
                params![id, now.as_micros()],
            )?;
            if changed == 0 {
                let sql = "SELECT 1 FROM agents WHERE agent = ?1";
                let known = transaction.query_row(sql, [id], |_| Ok(())).optional()?;
                return Ok(known.map_or(Revocation::Unknown, |()| Revocation::Already));
            }
            forget_revoked(transaction)?;
            Ok(Revocation::Done)
        })
    }

    /// Every agent, those that enrolled first first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn agents(&self) -> Result<Vec<RegisteredAgent>, RegistryError> {
        let read = || -> rusqlite::Result<Vec<RegisteredAgent>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT agent, credential_sha256, name, enrolled_us, revoked_us FROM agents \
                 ORDER BY enrolled_us, agent",
            )?;
            statement.query_map([], registered)?.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// A number that changes with each change that somebody else makes (SQLite's `data_version`).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn version(&self) -> Result<i64, RegistryError> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|source| self.failed(source))
    }

    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, RegistryError> {
        let path = &self.path;
        let sqlite = |source| RegistryError::sqlite(path, source);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        let result = work(&transaction).map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
        Ok(result)
    }

    fn failed(&self, source: rusqlite::Error) -> RegistryError {
        RegistryError::sqlite(&self.path, source)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Enrol,
    Known(AgentId),
    Refuse,
    Full(u64),
}

/// What a token is good for.
struct KnownToken {
    secret: Fingerprint,
    expires_us: u64,
    is_spent: bool,
}

fn judge(
    transaction: &Transaction<'_>,
    request: &EnrolmentRequest,
    now: Timestamp,
) -> rusqlite::Result<Judgement> {
    let token = known_token(transaction, request.token_id)?;
    // A token that is not there costs the same comparison.
    let expected = match &token {
        Some(token) => token.secret,
        None => Fingerprint::from([0; 32]),
    };
    let is_right = request.secret.fingerprint().is(&expected);
    let Some(token) = token.filter(|_| is_right) else {
        return Ok(Judgement::Refuse);
    };
    if let Some(before) = before(transaction, request)? {
        return Ok(before);
    }
    if token.is_spent || token.expires_us <= now.as_micros() {
        return Ok(Judgement::Refuse);
    }
    let sql = "SELECT count(*) FROM agents WHERE revoked_us IS NULL";
    let agents = count(transaction, sql, [])?;
    Ok(match agents {
        MAX_AGENTS.. => Judgement::Full(agents),
        _ => Judgement::Enrol,
    })
}

/// What to answer where the credential is known already.
fn before(
    transaction: &Transaction<'_>,
    request: &EnrolmentRequest,
) -> rusqlite::Result<Option<Judgement>> {
    let sql = "SELECT agent, token, revoked_us IS NULL FROM agents WHERE credential_sha256 = ?1";
    transaction
        .query_row(sql, [request.credential_sha256.bytes()], |row| {
            let is_by_this_token = row.get::<_, [u8; 8]>(1)? == *request.token_id.bytes();
            let may_report: bool = row.get(2)?;
            Ok(match is_by_this_token && may_report {
                true => Judgement::Known(agent_at(row, 0)?),
                false => Judgement::Refuse,
            })
        })
        .optional()
}

fn known_token(transaction: &Transaction<'_>, id: TokenId) -> rusqlite::Result<Option<KnownToken>> {
    let sql = "SELECT secret_sha256, expires_us, used >= uses FROM tokens WHERE id = ?1";
    transaction
        .query_row(sql, [id.bytes()], |row| {
            Ok(KnownToken {
                secret: Fingerprint::from(row.get::<_, [u8; 32]>(0)?),
                expires_us: row.get(1)?,
                is_spent: row.get(2)?,
            })
        })
        .optional()
}

fn register(
    transaction: &Transaction<'_>,
    request: &EnrolmentRequest,
    agent: AgentId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO agents (agent, credential_sha256, token, name, enrolled_us) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            agent.0.to_be_bytes(),
            request.credential_sha256.bytes(),
            request.token_id.bytes(),
            request.kept_name(),
            now.as_micros()
        ],
    )?;
    transaction.execute(
        "UPDATE tokens SET used = used + 1 WHERE id = ?1",
        [request.token_id.bytes()],
    )?;
    Ok(())
}

fn forget_revoked(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM agents WHERE agent IN (SELECT agent FROM agents WHERE revoked_us IS NOT NULL \
         ORDER BY revoked_us DESC LIMIT -1 OFFSET ?1)",
        [MAX_REVOKED],
    )?;
    Ok(())
}

fn count(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: impl Params,
) -> rusqlite::Result<u64> {
    transaction.query_row(sql, parameters, |row| row.get(0))
}

fn registered(row: &Row<'_>) -> rusqlite::Result<RegisteredAgent> {
    let revoked: Option<u64> = row.get(4)?;
    Ok(RegisteredAgent {
        agent: agent_at(row, 0)?,
        credential: Fingerprint::from(row.get::<_, [u8; 32]>(1)?),
        name: row.get(2)?,
        enrolled: Timestamp::from_micros(row.get(3)?),
        state: match revoked {
            Some(at) => AgentState::Revoked(Timestamp::from_micros(at)),
            None => AgentState::Enrolled,
        },
    })
}

fn agent_at(row: &Row<'_>, column: usize) -> rusqlite::Result<AgentId> {
    let bytes: [u8; 16] = row.get(column)?;
    Ok(AgentId(u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests;
