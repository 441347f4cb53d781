//! Lines that are typed into a framed shell, and its answers.

use crate::World;
use crate::framed::{Answer, Decoder, Event};
use rayos_kernel::base::time::Duration;

/// Commands that wait for others end by then, well or not.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

impl World {
    /// Types a line at once, whatever the kernel is doing; its answer, if it comes in time.
    pub fn try_ask(&mut self, node: usize, line: &str, within: Duration) -> Option<Answer> {
        self.serial(node).take_arrived();
        self.feed(node, format!("{line}\n").as_bytes());
        self.hear(node, within)
    }

    /// The answer to what was typed before, if it comes in time.
    pub fn hear(&mut self, node: usize, within: Duration) -> Option<Answer> {
        let (mut decoder, mut answer) = (Decoder::default(), None);
        self.run_until(within, |world| {
            for byte in world.serial(node).take_arrived() {
                match decoder.push(byte) {
                    Some(Event::Answer(came)) => answer = Some(came),
                    Some(Event::Panic(report)) => panic!("{report}"),
                    Some(Event::Ready) | None => {}
                }
            }
            answer.is_some()
        });
        answer
    }

    pub fn ask(&mut self, node: usize, line: &str) -> Answer {
        let answer = self.try_ask(node, line, ANSWER_WITHIN);
        answer.unwrap_or_else(|| panic!("no answer to {line}"))
    }

    /// The text that answers a command that must succeed.
    pub fn answer_of(&mut self, node: usize, line: &str) -> String {
        let answer = self.ask(node, line);
        assert!(answer.has_succeeded, "{line}: {}", answer.text);
        answer.text
    }

    /// Lays a disk out, as people do: with the code that they are shown.
    pub fn lay_out(&mut self, node: usize, disk: &str) {
        let command = format!("storage format {disk} ");
        let shown = self.answer_of(node, &command);
        let code = shown.split(&command).nth(1).and_then(|rest| rest.get(..8));
        let code = code.unwrap_or_else(|| panic!("no code in {shown}"));
        self.answer_of(node, &format!("{command}{code}"));
    }
}
