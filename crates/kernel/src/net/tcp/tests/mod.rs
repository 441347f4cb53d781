//! What TCP promises.

mod churn;
mod hostile;
mod scenarios;
mod script;
mod speed;
mod streams;
mod transfer;
mod world;
