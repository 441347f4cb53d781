//! Files and scripts in whole kernels, with a person at the screen.

use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::Duration;
use rayos_sim::framed::Answer;
use rayos_sim::{DiskSettings, Settings, TextScreen, World};

/// Large enough to be laid out.
const DISK_MEBIBYTES: u64 = 24;
const CUTS: u64 = 40;

struct Desk {
    world: World,
    screen: TextScreen,
}

impl Desk {
    /// A disk that is laid out, a program at the serial line, a person at the screen.
    fn new() -> Self {
        let world = World::single(Settings {
            command_line: "shell=framed".to_string(),
            screen_columns: Some(100),
            disks: vec![DiskSettings::ssd(DISK_MEBIBYTES)],
            ..Settings::default()
        });
        let mut desk = Self {
            world,
            screen: TextScreen::new(100),
        };
        desk.run(Duration::from_millis(200));
        desk.world.lay_out(0, "disk0");
        assert!(desk.ask("ls").has_succeeded);
        desk
    }

    fn run(&mut self, span: Duration) {
        self.world.run_for(span);
        let screen = self.world.machine(0).screen.as_mut().expect("there is one");
        self.screen.feed(&screen.take_arrived());
    }

    /// At the serial line.
    fn ask(&mut self, line: &str) -> Answer {
        let answer = self.world.ask(0, line);
        self.run(Duration::ZERO);
        answer
    }

    /// At the screen.
    fn type_in(&mut self, text: &str) -> String {
        let screen = self.world.machine(0).screen.as_mut().expect("there is one");
        screen.feed(text.as_bytes());
        self.world.wake(0);
        self.run(Duration::from_secs(1));
        self.screen.text()
    }
}

#[test]
fn a_key_ends_a_watched_line_of_a_script_and_ctrl_c_ends_all_scripts() {
    let mut desk = Desk::new();
    for line in [
        "put inner.txt watch 1 version",
        "append inner.txt echo of the inner",
        "put outer.txt run inner.txt",
        "append outer.txt echo of the outer",
    ] {
        assert!(desk.ask(line).has_succeeded, "{line}");
    }
    desk.type_in("run outer.txt\r");
    let seen = desk.type_in("x");
    assert!(
        seen.contains("of the inner") && seen.contains("of the outer"),
        "{seen}"
    );
    assert_eq!(desk.screen.cursor_row().trim_end(), "rayos>");
    desk.type_in("clear\rrun outer.txt\r");
    let seen = desk.type_in("\x03");
    assert!(!seen.contains("of the"), "{seen}");
    // Nothing of it is left for the next line.
    let seen = desk.type_in("echo well\r");
    assert!(
        seen.contains("\nwell\n") && !seen.contains("of the"),
        "{seen}"
    );
}

#[test]
fn what_was_answered_is_there_after_a_power_cut() {
    let mut desk = Desk::new();
    let mut prng = Prng::new(11);
    let mut counts = vec![];
    for number in 0..CUTS {
        let name = format!("file of round {}.txt", number % 5);
        let line = format!("put '{name}' round {number}");
        assert!(desk.ask(&line).has_succeeded);
        assert!(desk.ask("append log.txt x").has_succeeded);
        counts.push(number);
        // Something that the cut is in the middle of.
        let line = match prng.below(4) {
            0 => "append log.txt x".to_string(),
            1 => format!("put '{name}' round {number}"),
            2 => "mkdir another; rm another".to_string(),
            _ => format!("put cut.txt {}", "long ".repeat(150)),
        };
        desk.world.feed(0, format!("{line}\n").as_bytes());
        desk.world.run_for(Duration::from_micros(prng.below(6_000)));
        desk.world.crash(0);
        desk.world.restart(0);
        desk.run(Duration::from_millis(200));
        let shown = desk.ask(&format!("cat '{name}'"));
        assert_eq!(shown.text.trim_end(), format!("round {number}"));
        let lines = desk.ask("cat log.txt").text.lines().count() as u64;
        let answered = counts.len() as u64;
        assert!(lines >= answered, "{lines} lines of {answered}");
        // What the cut let through counts as answered from now on.
        counts.resize(lines as usize, 0);
    }
}
