//! For those who implement the traits: the laws as tests, and test doubles.
