//! The collector: takes reports in, stores them, answers questions and serves the page.
