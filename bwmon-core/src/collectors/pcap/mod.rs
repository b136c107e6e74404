//! Placeholder until the collector lands.
