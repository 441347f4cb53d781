//! Jobs and their answers.
