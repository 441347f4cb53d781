//! What the log promises.

mod bench;
mod damage;
mod hostile;
mod life;
mod reopening;
