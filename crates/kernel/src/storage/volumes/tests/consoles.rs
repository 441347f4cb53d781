//! What people at several consoles want at the same time.

use super::super::*;
use super::world::World;
use crate::base::operation::{OperationId, Operations, Performer};
use crate::base::report::{Report, Value};
use std::string::{String, ToString};
use std::vec::Vec;

fn name(text: &str) -> Name {
    Name::cut_from(text)
}

struct Desk {
    world: World,
    operations: Operations,
}

impl Desk {
    fn new(kind: Kind) -> Self {
        let mut world = World::new(1, 512, 1);
        let bytes = 1 << 20;
        let change = Change::Create {
            name: name("db"),
            kind,
            bytes,
        };
        assert_eq!(world.change(change), Ok(()));
        Self {
            world,
            operations: Operations::default(),
        }
    }

    fn start(&mut self, wish: Wish) -> OperationId {
        let id = self.operations.open(self.world.now, errands::LIMIT);
        let id = id.expect("there is room");
        assert_eq!(self.world.volumes.start(id, Box::new(wish)), Ok(()));
        id
    }

    /// The words of an answer, if there is one.
    fn look(&mut self, id: OperationId) -> Option<String> {
        let mut report = Report::new();
        if !self.world.volumes.maybe_answer(id, &mut report) {
            return None;
        }
        if let Some(error) = report.error() {
            return Some(error.to_string());
        }
        let mut words: Vec<String> = Vec::new();
        for block in report.blocks() {
            for row in 0..block.row_count() {
                for column in 0..block.columns().len().max(1) {
                    words.push(match block.value(row, column) {
                        Value::Text(text) => text.to_string(),
                        _ => String::new(),
                    });
                }
            }
        }
        Some(words.join(" "))
    }

    fn answer(&mut self, id: OperationId) -> String {
        self.world.step();
        for _ in 0..100_000 {
            if let Some(answer) = self.look(id) {
                return answer;
            }
            assert!(
                self.world.happen(),
                "nothing happens and there is no answer"
            );
        }
        panic!("there is no answer");
    }

    fn write(&mut self, offset: u64, text: &str) -> OperationId {
        self.start(Wish::Write {
            volume: name("db"),
            offset,
            text: text.into(),
        })
    }

    fn put(&mut self, key: &str) -> OperationId {
        self.start(Wish::Put {
            volume: name("db"),
            key: Key::cut_from(key),
            text: "value".into(),
        })
    }
}

#[test]
fn texts_that_go_to_one_block_at_the_same_time_are_both_there() {
    let mut desk = Desk::new(Kind::Block);
    let first = desk.write(0, "first");
    let second = desk.write(5, "second");
    let (first, second) = (desk.answer(first), desk.answer(second));
    assert!(first.contains("durable") && second.contains("durable"));
    let id = desk.start(Wish::Read {
        volume: name("db"),
        offset: 0,
        bytes: 11,
    });
    let shown = desk.answer(id);
    assert!(shown.contains("firstsecond"), "{shown}");
}

#[test]
fn a_list_is_that_of_who_asked_whatever_others_do_meanwhile() {
    let mut desk = Desk::new(Kind::Object);
    let id = desk.put("alpha");
    desk.answer(id);
    let listed = desk.start(Wish::List {
        volume: name("db"),
        prefix: Key::cut_from(""),
    });
    let other = desk.put("beta");
    desk.answer(other);
    let shown = desk.answer(listed);
    assert!(
        shown.contains("alpha") && !shown.contains("beta"),
        "{shown}"
    );
}

#[test]
fn who_wants_everything_read_is_told_what_was_found() {
    let mut desk = Desk::new(Kind::Block);
    let id = desk.write(0, "x");
    desk.answer(id);
    let (first, second) = (desk.start(Wish::Scrub), desk.start(Wish::Scrub));
    // Who has gone leaves it running.
    desk.world.volumes.forget(first);
    let shown = desk.answer(second);
    assert!(shown.contains("state ended"), "{shown}");
    assert!(desk.world.volumes.view().scrubbed.is_some());
}
