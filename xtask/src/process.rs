//! Child processes with deadlines, and children that die with their parent.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::deadline::Deadline;

const POLL_MAX: Duration = Duration::from_millis(20);
/// What every pipe holds (POSIX asks for 512, Linux gives a page at least).
const PIPE_BYTES: usize = 4096;

/// What a short command said.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    /// Unknown when a signal ended it.
    pub exit_code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command that answers quickly and collects what it says; kills it when the deadline is over.
pub fn ask(command: &mut Command, deadline: Deadline) -> anyhow::Result<Said> {
    ask_with_input(command, &[], deadline)
}

/// The same with something to read: no more than a pipe takes at once, since nobody waits for it to be read.
pub fn ask_with_input(
    command: &mut Command,
    input: &[u8],
    deadline: Deadline,
) -> anyhow::Result<Said> {
    let name = name_of(command);
    if input.len() > PIPE_BYTES {
        bail!("{name} is to read more than a pipe takes at once");
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who has ended before it was written does not want it.
        let _ = stdin.write_all(input);
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let status = wait(&mut child, deadline)?;
    let Some(status) = status else {
        stop(&mut child);
        bail!("{name} did not end in time");
    };
    let text = |thread: std::thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&thread.join().unwrap_or_default()).into_owned()
    };
    Ok(Said {
        success: status.success(),
        exit_code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

/// Runs a command whose output belongs to the user; kills it when the deadline is over.
pub fn run(command: &mut Command, deadline: Deadline) -> anyhow::Result<ExitStatus> {
    let name = name_of(command);
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    match wait(&mut child, deadline)? {
        Some(status) => Ok(status),
        None => {
            stop(&mut child);
            bail!("{name} did not end in time")
        }
    }
}

/// Waits for a child until the deadline; `None` when it still runs then.
pub fn wait(child: &mut Child, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
    // There is no wait with a deadline for a child, so it is asked at growing intervals.
    let mut interval = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let Some(left) = deadline.remaining() else {
            return Ok(None);
        };
        std::thread::sleep(interval.min(left));
        interval = (interval * 2).min(POLL_MAX);
    }
}

/// Kills a child and takes its status, so that no zombie stays.
pub fn stop(child: &mut Child) {
    // Both fail only when the child is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

/// Kills a child and all that it started.
///
/// A process group of their own would be simpler to kill, but Ctrl-C at the terminal would no longer reach them.
pub fn stop_with_descendants(child: &mut Child) {
    let mut processes = Vec::new();
    list_descendants(child.id(), &mut processes);
    stop(child);
    for id in processes {
        if let Some(id) = i32::try_from(id)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // It fails only when the process is gone already.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

fn list_descendants(parent: u32, processes: &mut Vec<u32>) {
    // Each thread of a process has children of its own.
    let threads = std::fs::read_dir(format!("/proc/{parent}/task"))
        .into_iter()
        .flatten()
        .flatten();
    for thread in threads {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
            processes.push(child);
            list_descendants(child, processes);
        }
    }
}

/// "exit status 1" or "signal 9", for messages.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_string(),
    }
}

/// The command that starts `program` so that it is killed when this process ends, however it ends.
pub fn dying_with_parent(program: &Path) -> Command {
    match find_program("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// The same in a network namespace, which is named by a file: `/proc/123/ns/net`.
pub fn dying_in_namespace(program: &Path, namespace: &Path) -> Command {
    let enter = find_program("nsenter").unwrap_or_else(|| PathBuf::from("nsenter"));
    let mut command = dying_with_parent(&enter);
    let mut option = std::ffi::OsString::from("--net=");
    option.push(namespace);
    command.arg(option).arg("--").arg(program);
    command
}

/// Spawns from a thread that lives as long as this process.
///
/// The signal that [`dying_with_parent`] asks for comes when the spawning *thread* ends; a test's thread may end before
/// the machine that it booted and handed on.
pub fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let gone = || io::Error::other("the thread that starts processes is gone");
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                // Who ordered and no longer listens gets no child: it is killed at once instead of leaked.
                if let Err(unheard) = reply.send(command.spawn())
                    && let Ok(mut child) = unheard.0
                {
                    stop(&mut child);
                }
            }
        });
        Mutex::new(orders)
    });
    let (reply, answer) = channel();
    spawner
        .lock()
        .map_err(|_| gone())?
        .send((command, reply))
        .map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

/// The first executable of this name on `PATH`, or in the directories where administrators' tools are.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The command line as a person would type it.
pub fn shown(program: &OsStr, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let mut line = quoted(&program.to_string_lossy());
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(&argument.as_ref().to_string_lossy()));
    }
    line
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+,.:/@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn name_of(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks leaves what came before; the exit status tells the rest.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn what_a_command_says_is_collected_with_its_success() {
        let said = ask(
            Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
            soon(),
        )
        .unwrap();
        assert_eq!(
            (said.success, said.stdout.as_str(), said.stderr.as_str()),
            (false, "out\n", "err\n")
        );
    }

    #[test]
    fn a_command_reads_what_it_is_given_and_then_the_end() {
        let said = ask_with_input(&mut Command::new("cat"), b"one\n", soon()).unwrap();
        assert_eq!((said.stdout.as_str(), said.exit_code), ("one\n", Some(0)));
        let said = ask_with_input(&mut Command::new("true"), b"not wanted", soon()).unwrap();
        assert!(said.success);
    }

    #[test]
    fn a_command_that_does_not_end_is_killed() {
        let error = ask(
            Command::new("sleep").arg("60"),
            Deadline::after(Duration::from_millis(50)),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "sleep did not end in time");
    }

    #[test]
    fn what_a_stopped_child_started_is_stopped_too() {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "sleep 60 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut id = String::new();
        std::io::BufRead::read_line(&mut output, &mut id).unwrap();
        stop_with_descendants(&mut child);
        // The pipe ends when the last process that holds it is gone.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
    }

    #[test]
    fn a_child_outlives_the_thread_that_ordered_it() {
        let mut child = std::thread::spawn(|| {
            let mut command = dying_with_parent(Path::new("/bin/cat"));
            command.stdin(Stdio::piped()).stdout(Stdio::null());
            spawn_from_lasting_thread(command).unwrap()
        })
        .join()
        .unwrap();
        // `cat` ends when its input does, and with success only when no signal came before.
        drop(child.stdin.take());
        assert!(
            wait(&mut child, soon())
                .unwrap()
                .is_some_and(|status| status.success())
        );
    }

    #[test]
    fn a_shown_command_line_can_be_pasted_into_a_shell() {
        assert_eq!(
            shown(OsStr::new("echo"), ["a b", "it's", "", "-m=1"]),
            r"echo 'a b' 'it'\''s' '' -m=1"
        );
    }
}
