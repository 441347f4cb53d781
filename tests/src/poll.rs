//! Waits for what nothing announces: looks, sleeps a little, looks again, until a deadline.
//!
//! The only place where a test sleeps.

use std::time::Duration;

use anyhow::bail;
use xtask::deadline::Deadline;

const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// What `look` finds, as soon as it finds something. An error of `look` ends the wait.
pub fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Deadline::after(within);
    let mut pause = PAUSE_MIN;
    loop {
        // Asked before the look, so that there is a look after the time is over: a slow one is not held against it.
        let is_over = deadline.is_over();
        if let Some(found) = look()? {
            return Ok(found);
        }
        if is_over {
            bail!("{what}: not within {:.1} s", within.as_secs_f64());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_looked_at_until_it_holds() {
        let mut looks = 0;
        let found = until("the third look", Duration::from_secs(20), || {
            looks += 1;
            Ok((looks == 3).then_some("here"))
        });
        assert_eq!(found.unwrap(), "here");
        assert_eq!(looks, 3);
    }

    #[test]
    fn a_condition_that_never_holds_is_named() {
        let found = until("the end of time", Duration::ZERO, || Ok(None::<()>));
        assert_eq!(
            found.unwrap_err().to_string(),
            "the end of time: not within 0.0 s"
        );
    }

    #[test]
    fn an_error_is_not_waited_for() {
        let found = until("anything", Duration::from_secs(20), || {
            anyhow::bail!("broken") as anyhow::Result<Option<()>>
        });
        assert_eq!(found.unwrap_err().to_string(), "broken");
    }
}
