//! A keyboard as it is typed on, and a controller with every fault one can have.

mod controller;
mod keyboard;
