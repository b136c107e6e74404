//! bwmon-bin
