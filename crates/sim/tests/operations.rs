//! Commands whose answer comes later: how sessions wait for it, and how that ends.

use rayos_kernel::base::disk::SECTOR_BYTES;
use rayos_kernel::base::time::Duration;
use rayos_kernel::limits::DISK_ERRANDS_MAX;
use rayos_sim::{DiskMood, Settings, TextScreen, Wire, World};

const SERIAL: usize = 0;
const SCREEN: usize = 1;
/// Longer than any operation may take.
const LATE: Duration = Duration::from_secs(40);

struct Desk {
    world: World,
    screens: [TextScreen; 2],
}

impl Desk {
    fn new() -> Self {
        let world = World::single(Settings {
            command_line: String::new(),
            screen_columns: Some(100),
            ..Settings::default()
        });
        let mut desk = Self {
            world,
            screens: [TextScreen::new(200), TextScreen::new(100)],
        };
        desk.run(Duration::from_millis(1));
        desk
    }

    fn wire(&mut self, console: usize) -> &mut Wire {
        let machine = self.world.machine(0);
        match console {
            SERIAL => &mut machine.serial,
            _ => machine.screen.as_mut().unwrap(),
        }
    }

    fn set_mood(&mut self, mood: DiskMood) {
        self.world.machine(0).disks[0].set_mood(mood);
    }

    fn run(&mut self, span: Duration) {
        self.world.run_for(span);
        for console in [SERIAL, SCREEN] {
            let bytes = self.wire(console).take_arrived();
            self.screens[console].feed(&bytes);
        }
    }

    fn type_at(&mut self, console: usize, text: &str) {
        self.wire(console).feed(text.as_bytes());
        self.world.wake(0);
        self.run(Duration::from_millis(10));
    }

    /// The last line but the prompt, which stands behind it.
    fn answer(&self, console: usize) -> String {
        let text = self.screens[console].text();
        let text = text.strip_suffix("\nrayos>").expect("a prompt");
        text.lines().last().unwrap().to_string()
    }

    fn waits(&self, console: usize) -> bool {
        self.screens[console].cursor_row().trim_end() != "rayos>"
    }
}

#[test]
fn the_answer_of_an_operation_comes_when_it_has_ended() {
    let mut desk = Desk::new();
    desk.world.machine(0).disks[0].sectors_mut()[SECTOR_BYTES..][..5].copy_from_slice(b"there");
    desk.type_at(SERIAL, "disk read disk0 1 | match there; echo next\r");
    let text = desk.screens[SERIAL].text();
    assert!(text.contains("there..........."), "{text}");
    assert_eq!(desk.answer(SERIAL), "next");
}

#[test]
fn what_is_written_is_safe_only_behind_a_flush() {
    let mut desk = Desk::new();
    desk.type_at(SERIAL, "disk write disk0 3 kept\r");
    assert_eq!(
        desk.world.machine(0).disks[0].safe()[3 * SECTOR_BYTES..][..4],
        [0; 4]
    );
    desk.type_at(SERIAL, "disk flush disk0\r");
    assert_eq!(desk.answer(SERIAL), "all that was written to disk0 is safe");
    assert_eq!(
        desk.world.machine(0).disks[0].safe()[3 * SECTOR_BYTES..][..4],
        *b"kept"
    );
}

#[test]
fn an_operation_that_fails_says_so_and_the_line_goes_on() {
    let mut desk = Desk::new();
    desk.set_mood(DiskMood::Failing);
    desk.type_at(SERIAL, "disk flush disk0; echo next\r");
    let text = desk.screens[SERIAL].text();
    assert!(text.contains("error: disk0: the disk failed at sector 0\nnext"));
}

#[test]
fn ctrl_c_ends_the_wait_and_what_comes_late_harms_nobody() {
    let mut desk = Desk::new();
    desk.set_mood(DiskMood::Silent);
    desk.type_at(SERIAL, "disk read disk0 1; echo never\r");
    assert!(desk.waits(SERIAL));
    desk.type_at(SERIAL, "\x03");
    assert_eq!(desk.answer(SERIAL), "^C");
    desk.set_mood(DiskMood::Well);
    desk.run(Duration::from_secs(1));
    assert_eq!(desk.answer(SERIAL), "^C");
    desk.type_at(SERIAL, "disk flush disk0\r");
    assert_eq!(desk.answer(SERIAL), "all that was written to disk0 is safe");
}

#[test]
fn an_operation_without_an_answer_ends_by_its_deadline() {
    let mut desk = Desk::new();
    desk.set_mood(DiskMood::Silent);
    desk.type_at(SERIAL, "disk read disk0 1\r");
    desk.run(LATE);
    let answer = desk.answer(SERIAL);
    assert!(
        answer.starts_with("error: no answer came within 30"),
        "{answer}"
    );
}

#[test]
fn two_sessions_wait_for_an_operation_each() {
    let mut desk = Desk::new();
    desk.type_at(SERIAL, "disk write disk0 1 serial\r");
    desk.type_at(SERIAL, "disk write disk0 2 screen\r");
    desk.set_mood(DiskMood::Silent);
    desk.type_at(SERIAL, "disk read disk0 1 | match serial\r");
    desk.type_at(SCREEN, "disk read disk0 2 | match screen\r");
    assert!(desk.waits(SERIAL) && desk.waits(SCREEN));
    desk.set_mood(DiskMood::Well);
    desk.run(Duration::from_millis(10));
    assert!(desk.answer(SERIAL).ends_with("serial.........."));
    assert!(desk.answer(SCREEN).ends_with("screen.........."));
}

#[test]
fn a_disk_that_keeps_everything_is_asked_for_no_more() {
    let mut desk = Desk::new();
    desk.set_mood(DiskMood::Silent);
    for _ in 0..DISK_ERRANDS_MAX {
        desk.type_at(SERIAL, "disk read disk0 1\r");
        desk.type_at(SERIAL, "\x03");
    }
    desk.type_at(SERIAL, "disk read disk0 1\r");
    assert_eq!(
        desk.answer(SERIAL),
        "error: too many disk commands run; wait until one has ended"
    );
    desk.set_mood(DiskMood::Well);
    desk.run(Duration::from_millis(10));
    desk.type_at(SERIAL, "disk flush disk0\r");
    assert_eq!(desk.answer(SERIAL), "all that was written to disk0 is safe");
}
