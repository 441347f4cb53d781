//! A lock that an interrupt handler on the same core may take as well.
//!
//! Interrupts are off on this core while the lock is held, so the holder cannot
//! be interrupted by someone who waits for it. Hold it for a few moves only.

/// A spin lock that is held with interrupts off.
pub struct IrqLock<T> {
    inner: spin::Mutex<T>,
}

impl<T> IrqLock<T> {
    pub const fn new(value: T) -> Self {
        Self {
            inner: spin::Mutex::new(value),
        }
    }

    /// Runs `body` with the value, with interrupts off.
    pub fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
        without_interrupts(|| body(&mut self.inner.lock()))
    }

    /// As `with`, but gives up when another has the lock: for the panic path.
    pub fn try_with<R>(&self, body: impl FnOnce(&mut T) -> R) -> Option<R> {
        without_interrupts(|| self.inner.try_lock().map(|mut value| body(&mut value)))
    }
}

#[cfg(target_os = "none")]
fn without_interrupts<R>(body: impl FnOnce() -> R) -> R {
    x86_64::instructions::interrupts::without_interrupts(body)
}

#[cfg(not(target_os = "none"))]
fn without_interrupts<R>(body: impl FnOnce() -> R) -> R {
    body()
}
