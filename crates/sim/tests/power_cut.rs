//! Whole kernels whose power is cut at every write of a random life.
//!
//! At each write, flush or discard that the disk has carried out, a copy of it loses its power, with what was not
//! flushed kept, lost or torn as chance wants it, and another kernel is booted on the copy. It must find what was
//! acknowledged, and of the command that was running all or nothing.

use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::Duration;
use rayos_sim::framed::{Answer, Decoder, Event};
use rayos_sim::life::{Act, State, Texts, VOLUME};
use rayos_sim::{DiskSettings, Settings, SimDisk, World};
use serde_json::Value;

const MEBIBYTES: u64 = 24;
const ACTS: usize = 40;
const SEEDS: u64 = 2;
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

struct Desk {
    world: World,
    decoder: Decoder,
}

impl Desk {
    fn new(disk: Option<SimDisk>) -> Self {
        let mut world = World::single(Settings {
            command_line: "shell=framed-json".to_string(),
            disks: vec![DiskSettings::ssd(MEBIBYTES)],
            ..Settings::default()
        });
        if let Some(disk) = disk {
            world.machine(0).disks[0] = disk;
        }
        let mut desk = Self {
            world,
            decoder: Decoder::default(),
        };
        desk.world.run_for(Duration::from_millis(200));
        desk
    }

    /// A disk that was laid out, with a volume for objects.
    fn fresh() -> Self {
        let mut desk = Self::new(None);
        desk.world.lay_out(0, "disk0");
        desk.wait_for_pool();
        desk.ask(&format!("storage create {VOLUME} object 2M"));
        desk
    }

    fn wait_for_pool(&mut self) {
        for _ in 0..100 {
            if self.ask("storage status").to_string().contains("\"ready\"") {
                return;
            }
            self.world.run_for(Duration::from_millis(100));
        }
        panic!("the pool is never ready");
    }

    fn type_in(&mut self, line: &str) {
        self.world.serial(0).take_arrived();
        self.world.feed(0, format!("{line}\n").as_bytes());
    }

    /// The answer, if it is there.
    fn answer(&mut self) -> Option<Answer> {
        let bytes = self.world.serial(0).take_arrived();
        let mut events = bytes.into_iter().filter_map(|byte| self.decoder.push(byte));
        events.find_map(|event| match event {
            Event::Answer(answer) => Some(answer),
            Event::Panic(report) => panic!("{report}"),
            Event::Ready => None,
        })
    }

    /// The document that answers a command that must succeed.
    fn ask(&mut self, line: &str) -> Value {
        let answer = self.world.answer_of(0, line);
        serde_json::from_str(&answer).expect("a document")
    }

    fn boundaries(&mut self) -> u64 {
        self.world.machine(0).disks[0].boundaries()
    }

    fn read(&mut self) -> State {
        let mut state = State::default();
        for file in column(&self.ask("ls"), "name") {
            let report = self.ask(&format!("cat {file}"));
            let text = lines(&report).map(|line| format!("{line}\n")).collect();
            state.files.insert(file, text);
        }
        for key in column(&self.ask(&format!("storage list {VOLUME}")), "key") {
            let report = self.ask(&format!("storage get {VOLUME} {key}"));
            state.objects.insert(key, lines(&report).collect());
        }
        for name in column(&self.ask("storage snapshots"), "name") {
            state.snapshots.insert(name, Texts::new());
        }
        state
    }
}

/// The texts of a column of the first table.
fn column(document: &Value, name: &str) -> Vec<String> {
    let blocks = document["report"].as_array().expect("a report");
    let table = blocks
        .iter()
        .find(|block| block["kind"] == "table")
        .expect("a table");
    let columns = table["columns"].as_array().expect("columns");
    let place = columns
        .iter()
        .position(|column| column == name)
        .expect("the column");
    let rows = table["rows"].as_array().expect("rows").iter();
    rows.map(|row| row[place].as_str().expect("a text").to_string())
        .collect()
}

/// The lines of the text.
fn lines(document: &Value) -> impl Iterator<Item = String> {
    let blocks = document["report"].as_array().expect("a report");
    let text = blocks.iter().find(|block| block["kind"] == "text");
    let lines = text.and_then(|text| text["lines"].as_array());
    lines
        .into_iter()
        .flatten()
        .map(|line| line.as_str().expect("a line").to_string())
}

/// Boots another kernel on what a cut now would leave.
fn check_cut(desk: &mut Desk, seed: u64, state: &State, running: &Act) {
    let disk = desk.world.machine(0).disks[0].after_cut(seed);
    let mut later = Desk::new(Some(disk));
    later.wait_for_pool();
    let seen = later.read();
    if state.is_seen_in(&seen) {
        return;
    }
    let mut done = state.clone();
    done.apply(running);
    assert!(
        done.is_seen_in(&seen),
        "seed {seed}, {}:{}\nor{}",
        running.command(),
        state.difference(&seen),
        done.difference(&seen)
    );
    let audit = later.ask("audit verify").to_string();
    assert!(!audit.contains("broken"), "{audit}");
}

#[test]
fn nothing_acknowledged_is_lost_by_a_cut_at_any_write_of_a_random_life() {
    let mut cuts = 0;
    for seed in 0..SEEDS {
        let mut prng = Prng::new(seed);
        let (mut desk, mut state) = (Desk::fresh(), State::default());
        for _ in 0..ACTS {
            let act = state.choose(&mut prng);
            desk.type_in(&act.command());
            let answer = loop {
                let before = desk.boundaries();
                let mut is_over = false;
                desk.world.run_until(ANSWER_WITHIN, |world| {
                    is_over = world.machine(0).disks[0].boundaries() > before;
                    is_over || !world.serial(0).arrived().is_empty()
                });
                if let Some(answer) = desk.answer() {
                    break answer;
                }
                if is_over {
                    cuts += 1;
                    check_cut(&mut desk, prng.next_u64(), &state, &act);
                }
            };
            assert!(answer.has_succeeded, "{}: {}", act.command(), answer.text);
            state.apply(&act);
        }
        assert!(state.is_seen_in(&desk.read()));
    }
    assert!(cuts > 10 * ACTS, "only {cuts} writes were cut");
}
