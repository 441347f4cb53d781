//! A keyboard as it is typed on, and a controller with every fault.

mod controller;
mod keyboard;
