//! How a session brings a report to its console, and what comes after.

use super::front::CLEAR_SCREEN;
use super::output::Output;
use super::run::Ran;
use super::{CHUNK, DRAIN_LIMIT, ERASE_BELOW, OUTPUT_RESERVE, Progress, Session, State};
use crate::base::time::Instant;
use crate::base::verdict::Verdict;

impl Session {
    pub(super) fn has_room_to_print(&self) -> bool {
        self.output.space() >= Output::worst_case(CHUNK) + OUTPUT_RESERVE
    }

    /// Renders as much as there is room for, then turns to what comes after.
    pub(super) fn print(&mut self, now: Instant, progress: Progress, ran: Ran) -> bool {
        if self.is_interrupted {
            self.stop();
            return true;
        }
        if self.rendering.is_done() {
            self.on_printed(now, progress, ran);
            return true;
        }
        let has_room = self.has_room_to_print();
        if has_room {
            let mut chunk = [0; CHUNK];
            let count = self.rendering.render(&self.report, &mut chunk);
            self.output.push_lines(&chunk[..count]);
        }
        self.state = State::Printing { progress, ran };
        has_room
    }

    fn on_printed(&mut self, now: Instant, progress: Progress, ran: Ran) {
        let verdict = progress.verdict.and(match self.report.error() {
            Some(_) => ran.on_failure,
            None => Verdict::Succeeded,
        });
        if let Some(period) = ran.watch {
            self.output.set_overpainting(false);
            self.output.push(ERASE_BELOW);
            self.state = State::Waiting {
                progress,
                until: now + period,
            };
            return;
        }
        if let Some(permitted) = ran.permitted {
            self.end_answer(verdict);
            self.state = State::Leaving {
                permitted,
                deadline: now + DRAIN_LIMIT,
            };
            return;
        }
        if ran.is_clearing && self.front.is_person() {
            self.output.push(CLEAR_SCREEN);
        }
        self.state = State::Running(Progress {
            command: progress.command + 1,
            verdict,
            is_again: false,
        });
    }
}
