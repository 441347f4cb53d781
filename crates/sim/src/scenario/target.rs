//! A scenario's target that is a simulated machine.

use super::{Scenario, Target};
use crate::disk::{DiskMood, DiskSettings, SimDisk};
use crate::framed::{Answer, Decoder, Event};
use crate::machine::Settings;
use crate::world::World;
use rayos_kernel::base::log::Level;
use rayos_kernel::base::time::Duration;
use rayos_kernel::kernel::Machine;

/// Simulated time in which a command must have answered.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

pub struct SimTarget {
    world: World,
    decoder: Decoder,
    unplugged: Vec<SimDisk>,
}

impl SimTarget {
    /// A machine as the scenario wants it.
    pub fn for_scenario(scenario: &Scenario) -> Self {
        let usual = Settings::default();
        let settings = Settings {
            command_line: format!("shell=framed {}", scenario.command_line),
            disks: match &scenario.disks_mebibytes[..] {
                [] => usual.disks.clone(),
                sizes => sizes.iter().map(|size| DiskSettings::ssd(*size)).collect(),
            },
            ..usual
        };
        Self {
            world: World::single(settings),
            decoder: Decoder::default(),
            unplugged: Vec::new(),
        }
    }

    /// The next event of that kind; an earlier one of another kind is passed over.
    fn wait_for<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> Option<T> {
        let mut found = None;
        let decoder = &mut self.decoder;
        self.world.run_until(ANSWER_LIMIT, |world| {
            for byte in world.serial(0).take_arrived() {
                if let Some(event) = decoder.push(byte)
                    && found.is_none()
                {
                    found = wanted(event);
                }
            }
            found.is_some()
        });
        found
    }
}

impl Target for SimTarget {
    fn run(&mut self, line: &str) -> Result<Answer, String> {
        self.world.feed(0, line.as_bytes());
        self.world.feed(0, b"\n");
        let answer = self.wait_for(|event| match event {
            Event::Answer(answer) => Some(answer),
            _ => None,
        });
        answer.ok_or_else(|| "no answer came in 60 s of simulated time".to_string())
    }

    fn advance(&mut self, span: Duration) -> Result<(), String> {
        self.world.run_for(span);
        Ok(())
    }

    /// `log LEVEL TEXT` writes a record as a driver would; `disk well|failing|silent`
    /// says how the disk behaves from now on; `unplug` takes the last disk away, and `plug`
    /// brings it back.
    fn act(&mut self, action: &str) -> Result<(), String> {
        let words: Vec<&str> = action.splitn(3, ' ').collect();
        match words[..] {
            ["log", level, text] => {
                let level = Level::parse(level).ok_or_else(|| format!("no log level {level}"))?;
                let now = self.world.now();
                let log = self.world.machine(0).log();
                log.write(now, level, "world", format_args!("{text}"));
                Ok(())
            }
            ["unplug"] => {
                self.unplugged.extend(self.world.machine(0).disks.pop());
                self.world.wake(0);
                Ok(())
            }
            ["plug"] => {
                let disk = self.unplugged.pop().ok_or("no disk was unplugged")?;
                self.world.machine(0).disks.push(disk);
                self.world.wake(0);
                Ok(())
            }
            ["disk", mood] => {
                let mood = match mood {
                    "well" => DiskMood::Well,
                    "failing" => DiskMood::Failing,
                    "silent" => DiskMood::Silent,
                    _ => return Err(format!("no disk is ever {mood}")),
                };
                self.world.machine(0).disks[0].set_mood(mood);
                Ok(())
            }
            _ => Err(format!("a simulated machine cannot \"{action}\"")),
        }
    }
}
