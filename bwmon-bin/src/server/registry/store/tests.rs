use super::*;
use crate::common::secret::Secret256;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

struct Given {
    registry: Registry,
    folder: tempfile::TempDir,
}

fn given() -> Given {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(&folder.path().join("agents.db")).unwrap();
    Given { registry, folder }
}

impl Given {
    /// Accepts a token and gives what an agent asks with it.
    fn token(&mut self, uses: u32) -> EnrolmentRequest {
        let (id, secret) = (TokenId::draw().unwrap(), Secret256::draw().unwrap());
        let token = NewToken {
            id,
            secret: secret.fingerprint(),
            expires: NOW.plus(HOUR),
            uses,
        };
        self.registry.accept(&token, NOW).unwrap();
        EnrolmentRequest {
            token_id: id,
            secret,
            credential_sha256: fresh_credential(),
            host_name: "alpha".to_owned(),
        }
    }

    fn enrol(&mut self, request: &EnrolmentRequest, fresh: u128) -> Result<AgentId, EnrolError> {
        self.registry.enrol(request, AgentId(fresh), NOW)
    }
}

fn fresh_credential() -> Fingerprint {
    Secret256::draw().unwrap().fingerprint()
}

fn is_refused(result: &Result<AgentId, EnrolError>) -> bool {
    matches!(result, Err(EnrolError::Refused))
}

#[test]
fn a_lost_answer_is_given_again_and_spends_nothing() {
    let mut given = given();
    let request = given.token(2);
    for fresh in [1, 2, 3] {
        assert_eq!(given.enrol(&request, fresh).unwrap(), AgentId(1));
    }
    let second = EnrolmentRequest {
        credential_sha256: fresh_credential(),
        ..request.clone()
    };
    assert_eq!(given.enrol(&second, 4).unwrap(), AgentId(4));
    let third = EnrolmentRequest {
        credential_sha256: fresh_credential(),
        ..request.clone()
    };
    assert!(is_refused(&given.enrol(&third, 5)));
    // Also after it is spent and expired.
    let later = NOW.plus(HOUR * 2);
    let again = given.registry.enrol(&request, AgentId(6), later);
    assert_eq!(again.unwrap(), AgentId(1));
    assert_eq!(given.registry.agents().unwrap().len(), 2);
}

#[test]
fn wrong_expired_spent_and_foreign_are_refused_alike() {
    let mut given = given();
    let request = given.token(1);
    let wrong_secret = EnrolmentRequest {
        secret: Secret256::draw().unwrap(),
        ..request.clone()
    };
    let unknown = EnrolmentRequest {
        token_id: TokenId::draw().unwrap(),
        ..request.clone()
    };
    assert!(is_refused(&given.enrol(&wrong_secret, 1)));
    assert!(is_refused(&given.enrol(&unknown, 1)));
    let expired = NOW.plus(HOUR);
    let late = given.registry.enrol(&request, AgentId(1), expired);
    assert!(is_refused(&late));
    // The credential of somebody else, with a token of one's own.
    assert!(given.enrol(&request, 1).is_ok());
    let stolen = EnrolmentRequest {
        credential_sha256: request.credential_sha256,
        ..given.token(1)
    };
    assert!(is_refused(&given.enrol(&stolen, 2)));
    // A revoked one does not come back by asking once more.
    given.registry.revoke(AgentId(1), NOW).unwrap();
    assert!(is_refused(&given.enrol(&request, 3)));
    assert_eq!(given.registry.agents().unwrap().len(), 1);
}

#[test]
fn revoking_is_seen_by_others_and_says_what_it_found() {
    let mut given = given();
    let request = given.token(1);
    given.enrol(&request, 1).unwrap();
    let other = Registry::open(&given.folder.path().join("agents.db")).unwrap();
    let before = other.version().unwrap();
    let own = given.registry.version().unwrap();
    let mut revoke = |agent| given.registry.revoke(AgentId(agent), NOW).unwrap();
    assert_eq!(revoke(1), Revocation::Done);
    assert_eq!(revoke(1), Revocation::Already);
    assert_eq!(revoke(2), Revocation::Unknown);
    assert_ne!(other.version().unwrap(), before);
    assert_eq!(given.registry.version().unwrap(), own);
    let agents = other.agents().unwrap();
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0].state, AgentState::Revoked(NOW));
    assert_eq!(agents[0].name, "alpha");
    assert!(agents[0].credential.is(&request.credential_sha256));
}

#[test]
fn open_tokens_are_bounded_and_old_ones_are_forgotten() {
    let mut given = given();
    for _ in 0..MAX_TOKENS {
        given.token(1);
    }
    let token = NewToken {
        id: TokenId::draw().unwrap(),
        secret: fresh_credential(),
        expires: NOW.plus(HOUR * 50),
        uses: 1,
    };
    let refused = given.registry.accept(&token, NOW).unwrap_err();
    assert!(refused.to_string().contains("--uses"), "{refused}");
    given.registry.accept(&token, NOW.plus(HOUR)).unwrap();
    let long_after = NOW.plus(HOUR + KEPT);
    let another = NewToken {
        id: TokenId::draw().unwrap(),
        ..token
    };
    given.registry.accept(&another, long_after).unwrap();
    let sql = "SELECT count(*) FROM tokens";
    let left: u64 = given
        .registry
        .connection
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 2);
}

#[test]
fn no_secret_is_in_the_files() {
    let mut given = given();
    let request = given.token(1);
    given.enrol(&request, 1).unwrap();
    let text = request.secret.expose();
    let secret: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for entry in std::fs::read_dir(given.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(32).any(|window| window == secret));
        assert!(!bytes.windows(64).any(|window| window == text.as_bytes()));
    }
}
