//! bwmon-sinks
