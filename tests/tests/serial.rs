//! A person at the serial line: what they type, what they see, and what a careless paste does.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rayos_tests::poll;
use rayos_tests::report::{self, Report};
use xtask::qemu::{Boot, Exit, Platform, Shape};
use xtask::session::{PROMPT, Terminal};

const BOOT_WITHIN: Duration = Duration::from_secs(60);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const END_WITHIN: Duration = Duration::from_secs(30);
/// A megabyte is taken by a kernel under emulation, and all that it echoes is read.
const PASTE_WITHIN: Duration = Duration::from_secs(120);
const PASTE_BYTES: usize = 1 << 20;

/// A terminal at the first prompt, and how much was typed on it.
struct Desk {
    terminal: Terminal,
    typed_bytes: u64,
}

impl Desk {
    fn new() -> anyhow::Result<Desk> {
        Desk::at(&Shape::new(Boot::Pvh))
    }

    fn at(shape: &Shape) -> anyhow::Result<Desk> {
        let mut terminal = Terminal::boot(shape, BOOT_WITHIN)?;
        terminal.expect(PROMPT, BOOT_WITHIN)?;
        Ok(Desk {
            terminal,
            typed_bytes: 0,
        })
    }

    fn send(&mut self, bytes: &[u8], within: Duration) -> anyhow::Result<()> {
        self.typed_bytes += bytes.len() as u64;
        Ok(self.terminal.send(bytes, within)?)
    }

    /// Types a line and returns what is answered, without the echo, up to the next prompt.
    fn ask(&mut self, line: &str) -> anyhow::Result<String> {
        self.type_keys(line.as_bytes())?;
        self.enter()
    }

    fn type_keys(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        self.send(keys, ANSWER_WITHIN)
    }

    /// Ends the line and returns what is answered up to the next prompt.
    fn enter(&mut self) -> anyhow::Result<String> {
        self.type_keys(b"\r")?;
        let prompt = format!("\n{PROMPT}");
        let seen = self.terminal.expect(&prompt, ANSWER_WITHIN)? + &prompt;
        let (_, answer) = seen
            .split_once("\r\n")
            .with_context(|| format!("no line was ended: {seen:?}"))?;
        let answer = answer.strip_suffix(PROMPT).unwrap_or(answer);
        Ok(answer.trim_end().to_string())
    }

    /// What the kernel counts on the serial line: bytes received, and bytes dropped of them.
    fn counts(&mut self) -> anyhow::Result<(u64, u64)> {
        let status = self.ask("status | json")?;
        let report = Report::parse(&status)?;
        let count = |column| {
            let values = report.column("consoles", column)?;
            let value = values.first().and_then(|value| value.as_u64());
            value.with_context(|| format!("no {column} in {status}"))
        };
        Ok((count("received_bytes")?, count("dropped_bytes")?))
    }

    /// Gets a prompt back that answers, as a person does: Ctrl-C and a new line, again when that was lost too.
    fn answers_again(&mut self) -> anyhow::Result<()> {
        let mut attempt = 0;
        poll::until("an answer after the paste", PASTE_WITHIN, || {
            attempt += 1;
            let word = format!("alive-{attempt}");
            self.type_keys(format!("\x03echo {word}\r").as_bytes())?;
            let answer = format!("\n{word}\r\n{PROMPT}");
            Ok(self.terminal.expect(&answer, Duration::from_secs(5)).ok())
        })?;
        Ok(())
    }
}

#[test]
fn a_typed_line_is_shown_run_and_followed_by_a_prompt() {
    let mut desk = Desk::new().unwrap();
    assert_eq!(desk.ask("echo one; echo two").unwrap(), "one\r\ntwo");
    let error = desk.ask("ecko").unwrap();
    assert!(error.contains("did you mean \"echo\"?"), "{error}");
    assert_eq!(desk.ask("").unwrap(), "");
}

/// More than the loop takes at once waits in the driver's queue, and none of it is lost there.
#[test]
fn a_line_as_long_as_lines_may_be_arrives_whole() {
    let mut session = report::boot(&Shape::new(Boot::Pvh)).unwrap();
    let letters = |from: usize| (from..from + 1000).map(|at| char::from(b'a' + (at % 26) as u8));
    for from in 0..40 {
        let text: String = letters(from).collect();
        let report = Report::ask(&mut session, &format!("echo {text}")).unwrap();
        assert_eq!(report.lines("").unwrap(), [text]);
    }
}

#[test]
fn editing_keys_change_the_line_that_is_run() {
    let mut desk = Desk::new().unwrap();
    let cases: [(&str, &str); 9] = [
        ("echo ac\x1b[Db", "abc"),
        ("echo abx\x7fc", "abc"),
        ("cho abc\x01e", "abc"),
        ("cho abc\x1b[He\x1b[F!", "abc!"),
        ("echo abcdef\x1b[D\x1b[D\x1b[D\x0b", "abc"),
        ("rubbish\x15echo abc", "abc"),
        ("echo abc def\x17ghi", "abc ghi"),
        ("echo abcd\x1b[D\x1b[3~", "abc"),
        ("echo ab\x1b[200~c\x1b[201~", "abc"),
    ];
    for (keys, expected) in cases {
        assert_eq!(desk.ask(keys).unwrap(), expected, "{keys:?}");
    }
}

#[test]
fn tab_completes_commands_subcommands_and_columns() {
    let mut desk = Desk::new().unwrap();
    assert!(desk.ask("upt\t").unwrap().contains("ready at"));
    assert!(desk.ask("mem m\t").unwrap().starts_with("ranges:"));
    let sorted = desk.ask("limits | sort rea\t | limit 1").unwrap();
    assert!(sorted.starts_with("name "), "{sorted}");
    assert!(!sorted.contains("error"), "{sorted}");
}

#[test]
fn lines_come_back_from_the_history() {
    let mut desk = Desk::new().unwrap();
    assert_eq!(desk.ask("echo one").unwrap(), "one");
    assert_eq!(desk.ask("echo two").unwrap(), "two");
    assert_eq!(desk.ask("\x1b[A\x1b[A").unwrap(), "one");
    assert_eq!(desk.ask("\x12tw").unwrap(), "two");
    let history = desk.ask("history").unwrap();
    assert!(
        history.contains("echo one") && history.contains("echo two"),
        "{history}"
    );
}

#[test]
fn ctrl_c_leaves_a_line_and_ends_a_watch() {
    let mut desk = Desk::new().unwrap();
    desk.type_keys(b"echo never\x03").unwrap();
    let seen = desk
        .terminal
        .expect(&format!("\n{PROMPT}"), ANSWER_WITHIN)
        .unwrap();
    assert!(seen.contains("^C"), "{seen:?}");
    assert_eq!(desk.ask("echo next").unwrap(), "next");
    desk.type_keys(b"watch 0.1 uptime\r").unwrap();
    for _ in 0..3 {
        desk.terminal.expect("ready at", ANSWER_WITHIN).unwrap();
    }
    desk.type_keys(b"\x03").unwrap();
    desk.terminal.expect(PROMPT, ANSWER_WITHIN).unwrap();
    assert_eq!(desk.ask("echo next").unwrap(), "next");
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let mut desk = Desk::new().unwrap();
    desk.type_keys(b"echo a\xff\xfe\xc3(\xe2\x82 \xf0\x9f")
        .unwrap();
    let answer = desk.enter().unwrap();
    assert!(answer.starts_with("a\u{fffd}"), "{answer:?}");
    desk.type_keys(b"\x1b[999;999;999Z\x1b]0;title\x07\x1bP\x1b\\\x00\x0e\x0f")
        .unwrap();
    assert_eq!(desk.ask("echo caf\u{e9}").unwrap(), "caf\u{e9}");
    let (received, dropped) = desk.counts().unwrap();
    assert_eq!((received, dropped), (desk.typed_bytes, 0));
}

/// A megabyte of what a person pastes by mistake.
fn paste_of(piece: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (0..).flat_map(piece).take(PASTE_BYTES).collect()
}

/// Pastes without reading what is echoed, as a program does that writes first and reads later, and then goes on.
fn survives(paste: &[u8]) -> anyhow::Result<()> {
    let mut desk = Desk::new()?;
    desk.send(paste, PASTE_WITHIN)?;
    desk.answers_again()?;
    let (received, dropped) = desk.counts()?;
    ensure!(
        received == desk.typed_bytes,
        "{received} bytes received of {}",
        desk.typed_bytes
    );
    ensure!(dropped < received, "{dropped} bytes dropped of {received}");
    // A kernel that keeps up drops nothing; one that cannot must say so in the limits too.
    let limits = desk.ask("limits | where name=SERIAL_RECEIVE_BYTES | json")?;
    let limits = Report::parse(&limits)?;
    let refused = limits.column("limits", "refused")?;
    let refused = refused.first().and_then(|refused| refused.as_u64());
    match refused {
        Some(refused) if refused == dropped => Ok(()),
        other => bail!("{dropped} bytes dropped, {other:?} in limits"),
    }
}

#[test]
fn a_pasted_megabyte_without_a_line_end_does_no_harm() {
    survives(&paste_of(|_| b"x".to_vec())).unwrap();
}

#[test]
fn a_pasted_megabyte_of_commands_does_no_harm() {
    survives(&paste_of(|number| {
        format!("echo line {number}; limits | limit 2\r").into_bytes()
    }))
    .unwrap();
}

#[test]
fn a_pasted_megabyte_in_brackets_runs_nothing() {
    let mut paste = b"\x1b[200~".to_vec();
    paste.extend(paste_of(|_| b"echo pasted\r\npoweroff\r\n".to_vec()));
    paste.extend(b"\x1b[201~");
    survives(&paste).unwrap();
}

#[test]
fn a_pasted_megabyte_of_noise_does_no_harm() {
    // A linear congruence: no two of its states are alike, and every byte value occurs.
    let mut state: u32 = 1;
    let noise: Vec<u8> = (0..PASTE_BYTES)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    survives(&noise).unwrap();
}

const BOARDS: [Platform; 3] = [Platform::Q35, Platform::Pc, Platform::Microvm];

#[test]
fn poweroff_ends_qemu_with_success_on_every_board() {
    for platform in BOARDS {
        let mut desk = Desk::at(&Shape::new(Boot::Pvh).platform(platform)).unwrap();
        desk.type_keys(b"poweroff\r").unwrap();
        let ending = desk.terminal.wait_for_end(END_WITHIN).unwrap();
        assert_eq!(ending.exit, Exit::Success, "{platform:?}");
        assert_eq!(
            ending.reason.as_deref(),
            Some("guest-shutdown"),
            "{platform:?}"
        );
        let farewell = desk.terminal.unread();
        assert!(
            farewell.contains("switching off"),
            "{platform:?}: {farewell}"
        );
    }
}

#[test]
fn reboot_resets_every_board() {
    for platform in BOARDS {
        let mut desk = Desk::at(&Shape::new(Boot::Pvh).platform(platform)).unwrap();
        desk.type_keys(b"reboot\r").unwrap();
        let ending = desk.terminal.wait_for_end(END_WITHIN).unwrap();
        assert_eq!(
            ending.reason.as_deref(),
            Some("guest-reset"),
            "{platform:?}"
        );
    }
}

#[test]
fn a_machine_that_may_restart_comes_back_to_its_prompt() {
    let mut desk = Desk::at(&Shape::new(Boot::Pvh).restarts()).unwrap();
    assert_eq!(desk.ask("echo one").unwrap(), "one");
    for _ in 0..2 {
        desk.type_keys(b"reboot\r").unwrap();
        desk.terminal.expect("RayOS ", BOOT_WITHIN).unwrap();
        desk.terminal.expect(PROMPT, BOOT_WITHIN).unwrap();
        // What was typed before is forgotten.
        assert_eq!(desk.ask("history").unwrap().matches("echo one").count(), 0);
    }
}
