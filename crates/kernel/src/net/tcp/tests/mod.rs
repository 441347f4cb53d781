//! What TCP promises.

mod churn;
mod hostile;
mod scenarios;
mod script;
mod speed;
mod transfer;
mod world;
