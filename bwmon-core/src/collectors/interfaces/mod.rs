//! The chosen interfaces of a capture: which numbers their names have now, and how each of them
//! counts bytes.

mod counting;
#[cfg(target_os = "linux")]
pub(in crate::collectors) mod filter;
mod sys;

use std::time::{Duration, Instant};

pub(in crate::collectors) use counting::Counting;
#[cfg(feature = "pcap")]
pub(in crate::collectors) use counting::TAG;
#[cfg(target_os = "linux")]
pub(in crate::collectors) use sys::attach;
pub(in crate::collectors) use sys::wait_readable;

use crate::collector::{CollectError, CollectErrorKind, InterfaceEvent};
use crate::frame::InterfaceId;

/// How often names are resolved anew, at most.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(1);

/// Most interfaces that one capture keeps apart: two instructions of the kernel's filter each, of
/// which there may be 4,096.
const MOST: usize = 1_024;

/// Names that were chosen, followed through their interfaces' lives.
///
/// An interface that is renamed is followed by its number until another one takes the chosen name;
/// one that is removed is looked for, by its chosen name, until it is there again.
#[derive(Debug)]
pub(in crate::collectors) struct Interfaces {
    /// Empty: every interface there is.
    chosen: Vec<String>,
    present: Vec<Present>,
    events: Vec<InterfaceEvent>,
    resolved_at: Instant,
}

/// An interface that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collectors) struct Present {
    /// The chosen name that it is followed for.
    chosen: String,
    /// Its number.
    pub(in crate::collectors) id: InterfaceId,
    /// Its name now.
    pub(in crate::collectors) name: String,
    counting: Counting,
}

impl Interfaces {
    /// Resolves `chosen` names; none means every interface there is.
    ///
    /// # Errors
    /// `NotFound` for a name that no interface has, naming those that exist.
    pub(in crate::collectors) fn resolve(chosen: &[String]) -> Result<Self, CollectError> {
        if chosen.len() > MOST {
            return Err(CollectError::new(
                CollectErrorKind::Other,
                format!(
                    "{} interfaces are chosen, {MOST} is the most: choose fewer, or none for all",
                    chosen.len()
                ),
            ));
        }
        if let Some(missing) = chosen.iter().find(|name| sys::index_of(name).is_none()) {
            return Err(not_found(missing));
        }
        let mut interfaces = Self {
            chosen: chosen.to_vec(),
            present: Vec::new(),
            events: Vec::new(),
            resolved_at: Instant::now(),
        };
        interfaces.refresh();
        Ok(interfaces)
    }

    /// Whether one name was chosen and no other.
    #[cfg(feature = "af_packet")]
    pub(in crate::collectors) const fn is_single(&self) -> bool {
        self.chosen.len() == 1
    }

    /// Whether every interface is captured, whatever its name.
    #[cfg(feature = "af_packet")]
    pub(in crate::collectors) const fn is_all(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Those that are there, in the order of their numbers.
    pub(in crate::collectors) fn present(&self) -> &[Present] {
        &self.present
    }

    /// Their numbers and names.
    pub(in crate::collectors) fn named(&self) -> Vec<(InterfaceId, String)> {
        self.present
            .iter()
            .map(|interface| (interface.id, interface.name.clone()))
            .collect()
    }

    /// How the interface `id` counts; as most do, if it is not known (yet).
    pub(in crate::collectors) fn counting(&self, id: InterfaceId) -> Counting {
        self.present
            .binary_search_by_key(&id, |interface| interface.id)
            .ok()
            .and_then(|at| self.present.get(at))
            .map_or(Counting::default(), |interface| interface.counting)
    }

    /// Resolves anew if the last time is a second ago. Says whether the set of numbers changed.
    pub(in crate::collectors) fn refresh_if_due(&mut self) -> bool {
        if self.resolved_at.elapsed() < RESOLVE_INTERVAL {
            return false;
        }
        self.refresh()
    }

    /// Time until [`Self::refresh_if_due`] does something.
    pub(in crate::collectors) fn next_refresh(&self) -> Duration {
        RESOLVE_INTERVAL.saturating_sub(self.resolved_at.elapsed())
    }

    /// What changed since the last call, once.
    pub(in crate::collectors) fn take_events(&mut self) -> Vec<InterfaceEvent> {
        std::mem::take(&mut self.events)
    }

    fn refresh(&mut self) -> bool {
        self.resolved_at = Instant::now();
        let mut now = if self.chosen.is_empty() {
            self.all()
        } else {
            self.followed()
        };
        now.sort_by_key(|interface| interface.id);
        now.dedup_by_key(|interface| interface.id);
        self.say_changes(&now);
        let is_changed = !now
            .iter()
            .map(|interface| interface.id)
            .eq(self.present.iter().map(|interface| interface.id));
        self.present = now;
        is_changed
    }

    fn all(&self) -> Vec<Present> {
        let mut interfaces = sys::list();
        interfaces.truncate(MOST);
        interfaces
            .into_iter()
            .map(|(id, name)| self.found(&name, id, name.clone()))
            .collect()
    }

    fn followed(&self) -> Vec<Present> {
        self.chosen
            .iter()
            .filter_map(|chosen| {
                let id = sys::index_of(chosen).or_else(|| self.last_id(chosen))?;
                let name = sys::name_of(id)?;
                Some(self.found(chosen, id, name))
            })
            .collect()
    }

    fn last_id(&self, chosen: &str) -> Option<InterfaceId> {
        self.present
            .iter()
            .find(|interface| interface.chosen == chosen)
            .map(|interface| interface.id)
    }

    fn found(&self, chosen: &str, id: InterfaceId, name: String) -> Present {
        let before = self.present.iter().find(|interface| interface.id == id);
        let counting = before.map_or_else(
            || Counting::of(&sys::nature_of(&name)),
            |interface| interface.counting,
        );
        Present {
            chosen: chosen.to_owned(),
            id,
            name,
            counting,
        }
    }

    fn say_changes(&mut self, now: &[Present]) {
        for before in &self.present {
            if !now.iter().any(|interface| interface.id == before.id) {
                self.events.push(InterfaceEvent::Vanished { id: before.id });
            }
        }
        for interface in now {
            let (id, name) = (interface.id, interface.name.clone());
            match self.present.iter().find(|before| before.id == id) {
                None => self.events.push(InterfaceEvent::Appeared { id, name }),
                Some(before) if before.name != name => {
                    self.events.push(InterfaceEvent::Renamed { id, name });
                }
                Some(_) => {}
            }
        }
    }
}

/// The command that lets this program capture.
pub(in crate::collectors) fn how_to_permit() -> String {
    let program = std::env::current_exe().map_or_else(
        |_| "bwmon-agent".to_owned(),
        |path| path.display().to_string(),
    );
    format!("grant it with: sudo setcap cap_net_raw+ep '{program}'")
}

fn not_found(name: &str) -> CollectError {
    let mut existing: Vec<String> = sys::list().into_iter().map(|(_, name)| name).collect();
    existing.sort();
    CollectError::new(
        CollectErrorKind::NotFound,
        format!(
            "no interface is called {name:?}; there are: {}",
            existing.join(", ")
        ),
    )
}
