//! Agents: who a credential stands for, and how an agent gets one.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use axum::http::HeaderMap;
use bwmon_core::report::AgentId;
use bwmon_sinks::Clock;
use foldhash::fast::RandomState;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bearer;
use super::failures::Failures;
use super::lock;
use crate::common::enrolment::EnrolmentRequest;
use crate::common::secret::{Fingerprint, Secret256};
use crate::server::legacy::identity::folded;
use crate::server::registry::{AgentState, EnrolError, Registry, RegistryError};

/// Enrolments at once; each waits for the disk.
const AT_ONCE: usize = 4;

/// Why a request is not an agent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// It shows no credential, or something of another form.
    Nobody,
    /// No agent has this credential.
    Unknown,
    /// The agent was revoked.
    Revoked,
}

/// Every agent by the SHA-256 of its credential, as the registry had it a moment ago: who reads
/// memory finds no credential, and a look-up takes no longer for one that is nearly right.
#[derive(Debug)]
pub struct Agents {
    known: RwLock<Table>,
    registry: Mutex<Registered>,
    failures: Mutex<Failures>,
    places: Arc<Semaphore>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Table {
    /// Fingerprints are hashes already, and nobody chooses them.
    by_credential: HashMap<Fingerprint, (AgentId, AgentState), RandomState>,
    /// Names of the hosts of those that may report, as they are compared.
    names: HashSet<String>,
}

#[derive(Debug)]
struct Registered {
    registry: Registry,
    /// The registry's version that `known` is of.
    version: i64,
}

impl Agents {
    /// Opens the registry at `path`. Blocks.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(path: &Path, clock: Clock) -> Result<Self, RegistryError> {
        let registry = Registry::open(path)?;
        let version = registry.version()?;
        let known = table(&registry)?;
        Ok(Self {
            known: RwLock::new(known),
            registry: Mutex::new(Registered { registry, version }),
            failures: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            clock,
        })
    }

    /// Whose request it is, by the credential in its headers and nothing else.
    ///
    /// # Errors
    /// Where it is no agent's that may report.
    pub fn identify(&self, headers: &HeaderMap) -> Result<AgentId, Stranger> {
        let sent = bearer(headers).ok_or(Stranger::Nobody)?;
        let credential: Secret256 = sent.parse().map_err(|_| Stranger::Nobody)?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.by_credential.get(&credential.fingerprint()) {
            Some((agent, AgentState::Enrolled)) => Ok(*agent),
            Some((_, AgentState::Revoked(_))) => Err(Stranger::Revoked),
            None => Err(Stranger::Unknown),
        }
    }

    /// Takes in what other processes have changed, if anything. Blocks.
    ///
    /// # Errors
    /// When the registry cannot be read; what was known still holds then.
    pub fn refresh(&self) -> Result<(), RegistryError> {
        let mut registered = lock(&self.registry);
        let version = registered.registry.version()?;
        if version != registered.version {
            let fresh = table(&registered.registry)?;
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            registered.version = version;
        }
        Ok(())
    }

    /// Enrols an agent under `fresh`, or gives the identity that it has already. Blocks.
    ///
    /// # Errors
    /// As [`EnrolError`] says.
    pub fn enrol(&self, request: &EnrolmentRequest, fresh: AgentId) -> Result<AgentId, EnrolError> {
        let mut registered = lock(&self.registry);
        let agent = registered
            .registry
            .enrol(request, fresh, self.clock.now())?;
        // A change of one's own does not change the version: no refresh would see it.
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.add(
            request.credential_sha256,
            agent,
            AgentState::Enrolled,
            &request.kept_name(),
        );
        Ok(agent)
    }

    /// Whether a host enrolled under this name, which is [`folded`].
    pub fn has_name(&self, name: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.names.contains(name)
    }

    /// Whether so many enrolments from this address failed of late that no more are looked at.
    pub fn is_shut_out(&self, peer: IpAddr, now: Instant) -> bool {
        lock(&self.failures).is_over(peer, now)
    }

    /// Counts an enrolment that was refused.
    pub fn count_refusal(&self, peer: IpAddr, now: Instant) {
        lock(&self.failures).count(peer, now);
    }

    /// A place for one enrolment, where one is free.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

impl Table {
    fn add(&mut self, credential: Fingerprint, agent: AgentId, state: AgentState, name: &str) {
        self.by_credential.insert(credential, (agent, state));
        if state == AgentState::Enrolled {
            self.names.insert(folded(name));
        }
    }
}

fn table(registry: &Registry) -> Result<Table, RegistryError> {
    let mut table = Table::default();
    for known in registry.agents()? {
        table.add(known.credential, known.agent, known.state, &known.name);
    }
    Ok(table)
}
