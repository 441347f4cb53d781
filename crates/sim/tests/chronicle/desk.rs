//! A machine with a disk, at whose console somebody types.

use rayos_kernel::base::log::Level;
use rayos_kernel::base::time::Duration;
use rayos_kernel::kernel::Machine as _;
use rayos_sim::framed::Answer;
use rayos_sim::{DiskSettings, Settings, World};

pub const MEBIBYTES: u64 = 24;

pub struct Desk(pub World);

impl Desk {
    /// A machine with a disk that was laid out.
    pub fn new() -> Self {
        let mut desk = Self(World::single(Settings {
            command_line: "shell=framed debug=1".to_string(),
            disks: vec![DiskSettings::ssd(MEBIBYTES)],
            ..Settings::default()
        }));
        desk.rest();
        desk.lay_out();
        desk.rest();
        desk
    }

    pub fn lay_out(&mut self) {
        self.0.lay_out(0, "disk0");
    }

    /// So long that all is written and sealed.
    pub fn rest(&mut self) {
        self.0.run_for(Duration::from_secs(2));
        self.0.serial(0).take_arrived();
    }

    pub fn run(&mut self, line: &str) -> Answer {
        self.0.ask(0, line)
    }

    pub fn say(&mut self, text: &str) {
        let now = self.0.now();
        let log = self.0.machine(0).log();
        log.write(now, Level::Warn, "test", format_args!("{text}"));
        self.0.wake(0);
        self.rest();
    }

    pub fn crash(&mut self) {
        self.0.crash(0);
        self.0.run_for(Duration::from_secs(1));
        self.0.restart(0);
        self.rest();
    }

    pub fn field(&mut self, line: &str, name: &str) -> String {
        let text = self.run(line).text;
        let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
        let value = values.next();
        let value = value.unwrap_or_else(|| panic!("no {name} in {text}"));
        value.trim().to_string()
    }
}
