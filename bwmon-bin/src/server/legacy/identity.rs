//! How a host without a credential is told apart: by the name that it says.

use bwmon_core::report::{AgentId, Epoch};
use sha2::{Digest, Sha256};

/// What the identity of every such host begins with, and of no other: `lega` in ASCII.
const PREFIX: u128 = 0x6c65_6761;
/// How far up the prefix stands.
const PREFIX_SHIFT: u32 = 96;

/// Whether an identity is that of a host without a credential.
pub const fn is_legacy(agent: AgentId) -> bool {
    agent.0 >> PREFIX_SHIFT == PREFIX
}

/// The identity of the host that calls itself `name`.
pub fn agent_of(name: &str) -> AgentId {
    let hash = hash("bwmon legacy host", folded(name).as_bytes());
    AgentId((PREFIX << PREFIX_SHIFT) | (hash >> (128 - PREFIX_SHIFT)))
}

/// The only run of sequence numbers of such a host: the collector gives the numbers, and goes on where
/// it was after a restart.
pub fn epoch_of(agent: AgentId) -> Epoch {
    Epoch(hash("bwmon legacy epoch", &agent.0.to_be_bytes()))
}

/// A name as it is compared: host names are the same in upper and lower case, and with a final dot.
pub fn folded(name: &str) -> String {
    name.trim().trim_end_matches('.').to_lowercase()
}

fn hash(domain: &str, of: &[u8]) -> u128 {
    let digest = Sha256::new()
        .chain_update(domain)
        .chain_update([0])
        .chain_update(of)
        .finalize();
    let high = digest.iter().take(16);
    high.fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_host_however_it_is_written() {
        let host = agent_of("web-01");
        assert!(is_legacy(host));
        for same in ["WEB-01", "web-01.", " web-01 "] {
            assert_eq!(agent_of(same), host);
        }
        for other in ["web-02", "web-01.example", ""] {
            assert_ne!(agent_of(other), host);
            assert!(is_legacy(agent_of(other)));
        }
        assert!(!is_legacy(AgentId(0xa1)));
        assert_ne!(epoch_of(host), epoch_of(agent_of("web-02")));
    }

    #[test]
    fn identities_stay_the_same_from_version_to_version() {
        // They are stored: another number would be another host.
        let host = agent_of("web-01");
        assert_eq!(host.to_string(), "6c656761b8cfdfa73d5ed378db491d32");
        assert_eq!(
            epoch_of(host).to_string(),
            "23c49e9327dcce9dac5deab2dc43eb89"
        );
    }
}
