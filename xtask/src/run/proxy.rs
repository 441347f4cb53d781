//! Carries bytes between the user's terminal and a machine's serial line until one of them ends.
//!
//! Input waits for the first prompt, because a serial port that is being set up loses what it holds. Lines from a pipe
//! or a file wait for a prompt each: the kernel drops what comes faster than it works, as from a careless paste. When
//! the input ends, `poweroff` is typed; a kernel that does not obey in time is ended from outside.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::keys::{Key, Keys};
use super::terminal_mode::RawMode;
use crate::deadline::Deadline;
use crate::outcome::Outcome;
use crate::qemu::{Exit, Machine};
use crate::session::PROMPT;

/// A kernel without a prompt still gets what is typed, after this.
const PROMPT_WITHIN: Duration = Duration::from_secs(60);
/// The longest that a command works before its line is given up, and with it waiting for prompts.
const ANSWER_WITHIN: Duration = Duration::from_secs(5 * 60);
/// After the end of the input: how long the kernel may be silent, and how long it may go on talking.
const SILENCE_MAX: Duration = Duration::from_secs(20);
const FAREWELL_MAX: Duration = Duration::from_secs(5 * 60);
const END_WITHIN: Duration = Duration::from_secs(10);
const CAN: u8 = 0x18;
const CTRL_C: u8 = 0x03;

/// What the bytes that pass mean for how the run goes on and ends.
struct Traffic {
    keys: Option<Keys>,
    /// Typed and not yet taken by the serial line.
    to_kernel: Vec<u8>,
    /// The last bytes of the kernel, in which the prompt is looked for.
    tail: Vec<u8>,
    waits_for_prompts: bool,
    /// Nothing is sent before a prompt is seen, or this is over.
    prompt: Option<Deadline>,
    is_line_begun: bool,
    has_input_ended: bool,
    has_panicked: bool,
    wants_to_quit: bool,
}

impl Traffic {
    fn new(is_terminal: bool, waits_for_prompts: bool) -> Self {
        Traffic {
            keys: is_terminal.then(Keys::default),
            to_kernel: Vec::new(),
            tail: Vec::new(),
            waits_for_prompts,
            prompt: waits_for_prompts.then(|| Deadline::after(PROMPT_WITHIN)),
            is_line_begun: false,
            has_input_ended: false,
            has_panicked: false,
            wants_to_quit: false,
        }
    }

    fn on_typed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self
                .keys
                .as_mut()
                .map_or(Key::Send(*byte), |keys| keys.push(*byte))
            {
                Key::Send(byte) => {
                    // It is meant for what runs, which may never show a prompt.
                    self.prompt.take_if(|_| byte == CTRL_C);
                    self.to_kernel.push(byte);
                    self.is_line_begun = byte != b'\n' && byte != b'\r';
                }
                Key::Quit => self.wants_to_quit = true,
                Key::Swallowed => {}
            }
        }
    }

    fn on_end_of_input(&mut self) {
        if self.is_line_begun {
            self.to_kernel.push(b'\n');
        }
        self.to_kernel.extend_from_slice(b"poweroff\n");
        self.has_input_ended = true;
    }

    fn on_output(&mut self, bytes: &[u8]) {
        let panics = bytes.contains(&CAN);
        self.has_panicked |= panics;
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        if panics {
            // It boots again and shows one, or never will.
            *prompt = Deadline::after(PROMPT_WITHIN);
        }
        self.tail.extend_from_slice(bytes);
        let mut windows = self.tail.windows(PROMPT.len());
        if windows.any(|window| window == PROMPT.as_bytes()) {
            self.prompt = None;
        }
        let kept = self.tail.len().min(PROMPT.len());
        self.tail.drain(..self.tail.len() - kept);
    }

    fn is_prompt_awaited(&self) -> bool {
        self.prompt.is_some()
    }

    /// A kernel that hangs shows no prompt for the lines that are left either.
    fn maybe_stop_waiting(&mut self) {
        if self.prompt.is_some_and(|deadline| deadline.is_over()) {
            self.prompt = None;
            self.waits_for_prompts = false;
        }
    }

    fn goes_line_by_line(&self) -> bool {
        self.waits_for_prompts && self.keys.is_none()
    }

    /// What may be sent now: from a script one line, from a person everything.
    fn piece(&self) -> &[u8] {
        if self.is_prompt_awaited() {
            return &[];
        }
        let mut pieces = self.to_kernel.split_inclusive(|byte| *byte == b'\n');
        match self.goes_line_by_line() {
            true => pieces.next().unwrap_or_default(),
            false => &self.to_kernel,
        }
    }

    fn on_sent(&mut self, count: usize) {
        let is_line = count > 0 && self.to_kernel[count - 1] == b'\n';
        self.to_kernel.drain(..count);
        let is_last = self.has_input_ended && self.to_kernel.is_empty();
        if is_line && self.goes_line_by_line() && !is_last {
            self.tail.clear();
            self.prompt = Some(Deadline::after(ANSWER_WITHIN));
        }
    }
}

/// The two ends of the time after the input ended.
struct Farewell {
    silence: Deadline,
    total: Deadline,
}

impl Farewell {
    fn begin() -> Self {
        Farewell {
            silence: Deadline::after(SILENCE_MAX),
            total: Deadline::after(FAREWELL_MAX),
        }
    }
}

pub fn join_terminal(mut machine: Machine, waits_for_prompt: bool) -> anyhow::Result<Outcome> {
    let serial = machine
        .take_serial()
        .context("the machine's serial line is in use")?;
    serial.set_nonblocking(true)?;
    let signals = signals()?;
    let stdin = io::stdin();
    let raw_mode = RawMode::enter(&stdin)?;
    let mut traffic = Traffic::new(raw_mode.is_some(), waits_for_prompt);
    let is_scripted = raw_mode.is_none();
    let end = carry(&serial, &stdin, &signals, &mut traffic);
    drop(raw_mode);
    match end? {
        End::Machine => {
            let ending = machine.wait(Deadline::after(END_WITHIN))?;
            match ending.map(|ending| ending.exit) {
                Some(Exit::Success) if traffic.has_panicked && is_scripted => Ok(Outcome::Crashed),
                Some(Exit::Success) => Ok(Outcome::Success),
                Some(Exit::Failed) => Ok(Outcome::Crashed),
                Some(Exit::Unknown(status)) => Err(anyhow!("QEMU ended with {status}")),
                None => Err(anyhow!(
                    "QEMU closed the serial line and still runs; it is ended"
                )),
            }
        }
        End::User => {
            machine.quit();
            eprintln!();
            Ok(Outcome::Success)
        }
        End::OutOfTime => {
            machine.quit();
            eprintln!("\nthe kernel did not power off in time; QEMU is ended");
            Ok(if traffic.has_panicked {
                Outcome::Crashed
            } else {
                Outcome::TimedOut
            })
        }
    }
}

/// Why the carrying ended.
enum End {
    /// The serial line closed: the machine ended.
    Machine,
    /// The user quit, a signal came, or nobody reads the output any more.
    User,
    OutOfTime,
}

fn carry(
    mut serial: &UnixStream,
    stdin: &io::Stdin,
    signals: &UnixStream,
    traffic: &mut Traffic,
) -> anyhow::Result<End> {
    let mut farewell: Option<Farewell> = None;
    let slice = Timespec {
        tv_sec: 0,
        tv_nsec: 200_000_000,
    };
    let mut buffer = [0; 4096];
    loop {
        let serial_events = if traffic.piece().is_empty() {
            PollFlags::IN
        } else {
            PollFlags::IN | PollFlags::OUT
        };
        let mut sources = [
            PollFd::from_borrowed_fd(serial.as_fd(), serial_events),
            PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
        ];
        // Input that has ended stays readable for ever and would keep this loop from sleeping.
        let watched = if farewell.is_none() { 3 } else { 2 };
        match poll(&mut sources[..watched], Some(&slice)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("waiting for the terminal and the machine"),
        }
        let [serial_ready, signal_ready, stdin_ready] = sources.map(|source| source.revents());
        let has_input = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;

        if !signal_ready.is_empty() || traffic.wants_to_quit {
            return Ok(End::User);
        }
        if serial_ready.intersects(has_input) {
            match serial.read(&mut buffer) {
                Ok(0) => return Ok(End::Machine),
                Ok(count) => {
                    traffic.on_output(&buffer[..count]);
                    if show(&buffer[..count]).is_err() {
                        return Ok(End::User);
                    }
                    if let Some(farewell) = &mut farewell {
                        farewell.silence = Deadline::after(SILENCE_MAX);
                    }
                }
                Err(error) if is_worth_a_retry(&error) => {}
                Err(_) => return Ok(End::Machine),
            }
        }
        if farewell.is_none() && stdin_ready.intersects(has_input) {
            // Not through `Stdin`'s buffer: bytes in there would not wake `poll`.
            match rustix::io::read(stdin, &mut buffer) {
                Ok(0) => {
                    traffic.on_end_of_input();
                    farewell = Some(Farewell::begin());
                }
                Ok(count) => traffic.on_typed(&buffer[..count]),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error).context("reading the input"),
            }
        }
        traffic.maybe_stop_waiting();
        if traffic.is_prompt_awaited()
            && let Some(farewell) = &mut farewell
        {
            // A machine that boots, or works on a line, has not been told to power off yet.
            *farewell = Farewell::begin();
        }
        if !traffic.piece().is_empty() {
            match serial.write(traffic.piece()) {
                Ok(count) => traffic.on_sent(count),
                Err(error) if is_worth_a_retry(&error) => {}
                // What the kernel said last is still to be read; the end shows there.
                Err(_) => traffic.to_kernel.clear(),
            }
        }
        if farewell
            .as_ref()
            .is_some_and(|farewell| farewell.silence.earlier(farewell.total).is_over())
        {
            return Ok(End::OutOfTime);
        }
    }
}

fn show(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// A socket that becomes readable when this process is asked to end, so that the terminal's mode is put back first.
fn signals() -> anyhow::Result<UnixStream> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let (ours, theirs) = UnixStream::pair()?;
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)
            .context("a signal cannot be waited for")?;
    }
    Ok(ours)
}

fn is_worth_a_retry(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_last_line_is_ended_before_poweroff_is_typed() {
        let mut traffic = Traffic::new(false, false);
        traffic.on_typed(b"version\ncpu");
        traffic.on_end_of_input();
        assert_eq!(traffic.to_kernel, b"version\ncpu\npoweroff\n");

        let mut traffic = Traffic::new(false, false);
        traffic.on_typed(b"version\n");
        traffic.on_end_of_input();
        assert_eq!(traffic.to_kernel, b"version\npoweroff\n");
    }

    #[test]
    fn input_waits_for_a_prompt_however_its_bytes_are_cut() {
        for chunk in 1..=10 {
            let mut traffic = Traffic::new(false, true);
            traffic.on_typed(b"version\n");
            let output = b"booting\r\nrayos> ";
            let (early, last) = output.split_at(output.len() - 1);
            early
                .chunks(chunk)
                .for_each(|bytes| traffic.on_output(bytes));
            assert!(traffic.piece().is_empty());
            traffic.on_output(last);
            assert!(!traffic.piece().is_empty(), "chunks of {chunk}");
        }
    }

    /// Sends what may be sent, as far as the line takes it.
    fn send(traffic: &mut Traffic) -> String {
        let piece = traffic.piece().to_vec();
        traffic.on_sent(piece.len());
        String::from_utf8(piece).unwrap()
    }

    #[test]
    fn lines_of_a_script_wait_for_a_prompt_each() {
        let mut traffic = Traffic::new(false, true);
        traffic.on_typed(b"cpu\nmem\nup");
        traffic.on_output(b"rayos> ");
        assert_eq!(send(&mut traffic), "cpu\n");
        assert_eq!(send(&mut traffic), "");
        traffic.on_output(b"cpu\r\nmodel ...\r\nrayos> ");
        assert_eq!(send(&mut traffic), "mem\n");
        traffic.on_output(b"mem\r\nrayos> ");
        assert_eq!(send(&mut traffic), "up");
        traffic.on_end_of_input();
        assert_eq!(send(&mut traffic), "\n");
        assert_eq!(send(&mut traffic), "");
        traffic.on_output(b"up\r\nerror: ...\r\nrayos> ");
        assert_eq!(send(&mut traffic), "poweroff\n");
        assert!(!traffic.is_prompt_awaited(), "there will be none");
    }

    #[test]
    fn what_is_left_of_a_script_waits_for_a_kernel_that_boots_again_and_for_none_that_hangs() {
        let mut traffic = Traffic::new(false, true);
        traffic.on_output(b"rayos> ");
        traffic.on_typed(b"debug panic\ncpu\nmem\nuptime\n");
        send(&mut traffic);
        traffic.on_output(b"\x18panic: x\r\nrebooting\r\n");
        let left = traffic.prompt.and_then(Deadline::remaining);
        assert!(left.is_some_and(|left| left <= PROMPT_WITHIN));
        traffic.maybe_stop_waiting();
        assert_eq!(send(&mut traffic), "");
        traffic.on_output(b"rayos> ");
        assert_eq!(send(&mut traffic), "cpu\n");
        traffic.prompt = Some(Deadline::after(Duration::ZERO));
        traffic.maybe_stop_waiting();
        assert_eq!(send(&mut traffic), "mem\nuptime\n");
    }

    #[test]
    fn an_interrupt_does_not_wait_for_a_prompt_and_a_person_never_does() {
        let mut script = Traffic::new(false, true);
        script.on_output(b"rayos> ");
        script.on_typed(b"watch uptime\n");
        send(&mut script);
        script.on_typed(b"\x03");
        assert_eq!(send(&mut script), "\x03");
        let mut person = Traffic::new(true, true);
        person.on_output(b"rayos> ");
        person.on_typed(b"cpu\nmem\n");
        assert_eq!(send(&mut person), "cpu\nmem\n");
    }

    #[test]
    fn the_escape_key_is_for_terminals_only() {
        let mut scripted = Traffic::new(false, false);
        scripted.on_typed(b"\x01x");
        assert!(!scripted.wants_to_quit);
        assert_eq!(scripted.to_kernel, b"\x01x");
        let mut typed = Traffic::new(true, false);
        typed.on_typed(b"\x01x");
        assert!(typed.wants_to_quit);
    }

    #[test]
    fn a_panic_is_noticed_in_the_output() {
        let mut traffic = Traffic::new(false, false);
        traffic.on_output(b"rayos> ");
        assert!(!traffic.has_panicked);
        traffic.on_output(b"\x18panic: x");
        assert!(traffic.has_panicked);
    }
}
