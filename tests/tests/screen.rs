//! Are the two consoles of a PC two shells that know nothing of each other, and do both show a panic?
//!
//! What was seen stays under `target/xtask/screens`.

use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_tests::panic_report::PanicReport;
use rayos_tests::{form, screen};
use xtask::deadline::Deadline;
use xtask::qemu::{Boot, Machine, Shape};
use xtask::session::{PROMPT, Terminal};

const BOOT_WITHIN: Duration = Duration::from_secs(180);
const SCREEN_WITHIN: Duration = Duration::from_secs(60);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A machine with a person at each of its consoles.
struct Desk {
    terminal: Terminal,
    name: String,
}

impl Desk {
    fn new(boot: Boot, settings: &str) -> anyhow::Result<Desk> {
        let shape = Shape::new(boot).setting(settings);
        let mut terminal = Terminal::boot(&shape, BOOT_WITHIN)?;
        terminal.expect(PROMPT, BOOT_WITHIN)?;
        let name = format!("{boot:?}").to_lowercase();
        Ok(Desk { terminal, name })
    }

    fn machine(&mut self) -> anyhow::Result<&mut Machine> {
        self.terminal
            .machine()
            .context("the terminal has no machine")
    }

    /// Waits until the screen shows these texts, and returns all that it shows.
    fn see(&mut self, wanted: &[&str], moment: &str) -> anyhow::Result<String> {
        let name = format!("{}-{moment}", self.name);
        screen::wait_for_text(self.machine()?, wanted, &name, SCREEN_WITHIN)
    }

    fn type_on_keyboard(&mut self, line: &str) -> anyhow::Result<()> {
        screen::type_line(self.machine()?, line)
    }

    fn press(&mut self, key: &str) -> anyhow::Result<()> {
        self.machine()?
            .qmp()
            .send_keys(&[key], Deadline::after(ANSWER_WITHIN))
    }

    fn type_on_serial_line(&mut self, keys: &str) -> anyhow::Result<()> {
        Ok(self.terminal.send(keys.as_bytes(), ANSWER_WITHIN)?)
    }

    /// What the serial line says up to its next prompt.
    fn hear(&mut self) -> anyhow::Result<String> {
        let prompt = format!("\n{PROMPT}");
        Ok(self.terminal.expect(&prompt, ANSWER_WITHIN)?)
    }
}

fn consoles_are_independent(boot: Boot) -> anyhow::Result<()> {
    let mut desk = Desk::new(boot, "log=warn")?;
    desk.type_on_serial_line("echo half a line")?;
    desk.terminal.expect("half a line", ANSWER_WITHIN)?;

    desk.type_on_keyboard("echo seen on the screen")?;
    let shown = desk.see(&["\nseen on the screen\n"], "screen-answers")?;
    ensure!(
        !shown.contains("half"),
        "the serial line's typing is on the screen:\n{shown}"
    );
    ensure!(
        desk.terminal.unread().is_empty(),
        "the screen's typing is on the serial line: {:?}",
        desk.terminal.unread()
    );

    desk.type_on_serial_line("\r")?;
    let heard = desk.hear()?;
    ensure!(
        heard.trim() == "half a line",
        "the half line became {heard:?}"
    );

    // Each remembers its own lines only.
    desk.type_on_serial_line("history\r")?;
    let heard = desk.hear()?;
    ensure!(heard.contains("echo half a line"), "{heard:?}");
    ensure!(!heard.contains("seen on the screen"), "{heard:?}");
    desk.type_on_keyboard("history")?;
    let shown = desk.see(
        &["  echo seen on the screen\n", "  history\n"],
        "screen-history",
    )?;
    ensure!(!shown.contains("half a line"), "{shown}");
    desk.press("up")?;
    desk.press("up")?;
    desk.press("ret")?;
    let again = format!("  history\n{PROMPT}echo seen on the screen\nseen on the screen\n");
    desk.see(&[&again], "screen-recall")?;
    Ok(())
}

fn a_panic_shows_on_both(boot: Boot) -> anyhow::Result<()> {
    let mut desk = Desk::new(boot, "debug=1 panic=halt")?;
    desk.type_on_keyboard("debug panic")?;
    desk.terminal.expect("\x18", ANSWER_WITHIN)?;
    let report = PanicReport::of(&desk.terminal.expect("\x04", ANSWER_WITHIN)?);
    ensure!(
        report.reason()?.contains("debug panic was asked for"),
        "{}",
        report.text()
    );
    let shown = desk.see(
        &[
            "panic: debug panic was asked for (crates/kernel/src/failure.rs:",
            "core 0, thread \"control\", ",
            "backtrace:",
            "rayos_kernel::failure::provoke",
            "halted",
        ],
        "screen-panic",
    )?;
    ensure!(
        !shown.contains('\u{fffd}'),
        "letters that are none:\n{shown}"
    );
    Ok(())
}

fn firmwares() -> Vec<Boot> {
    form::cases(vec![Boot::Bios], || vec![Boot::Bios, Boot::Uefi])
}

#[test]
fn screen_and_serial_line_are_two_shells_that_share_nothing() {
    for boot in firmwares() {
        consoles_are_independent(boot).unwrap();
    }
}

#[test]
fn a_panic_is_shown_on_the_screen_and_told_on_the_serial_line() {
    for boot in firmwares() {
        a_panic_shows_on_both(boot).unwrap();
    }
}
