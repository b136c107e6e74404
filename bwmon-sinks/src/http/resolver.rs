//! Looks a collector's name up once per connection, not once per delivery.

use std::sync::{Arc, Mutex, PoisonError};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Remembers the addresses of the only server that its client talks to, until it is told to look
/// again. The client asks before each request, connected or not, and each look-up takes a thread.
#[derive(Debug, Default, Clone)]
pub(super) struct RememberingResolver {
    known: Arc<Mutex<Option<ResolvedSocketAddrs>>>,
}

impl RememberingResolver {
    /// Looks the name up anew for the next request.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Resolver for RememberingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(addresses) = &*known {
            return Ok(addresses.clone());
        }
        let addresses = DefaultResolver::default().resolve(uri, config, timeout)?;
        *known = Some(addresses.clone());
        Ok(addresses)
    }
}
