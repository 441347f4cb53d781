//! Does `cargo xtask` do on the command line what scripts rely on: exit codes, JSON, a run without a terminal?

use std::process::Command;
use std::time::Duration;

use rayos_tests::report;
use rayos_tests::xtask_binary::{self, call};
use xtask::deadline::Deadline;
use xtask::process::{self, Said};
use xtask::workspace::Scratch;

/// A boot and a few commands on a busy host.
const CALL_WITHIN: Duration = Duration::from_secs(120);

fn exec(arguments: &[&str]) -> Said {
    let arguments = [&["exec"], arguments].concat();
    call(&arguments, "", CALL_WITHIN).unwrap()
}

#[track_caller]
fn ends_with(said: &Said, exit_code: i32) {
    assert_eq!(said.exit_code, Some(exit_code), "{said:?}");
}

#[test]
fn exec_prints_exactly_what_the_commands_print() {
    let said = exec(&["echo one", "echo two; echo three"]);
    ends_with(&said, 0);
    assert_eq!(said.stdout, "one\ntwo\nthree\n");
}

#[test]
fn exec_ends_with_1_when_one_of_the_commands_fails_and_runs_the_others() {
    let said = exec(&["echo before", "no-such-command", "echo behind"]);
    ends_with(&said, 1);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("before", "behind"));
    assert!(said.stdout.contains("unknown command"), "{said:?}");
}

#[test]
fn exec_ends_with_2_when_it_is_used_in_a_way_that_cannot_work() {
    for arguments in [
        &[][..],
        &["--smp", "none", "version"],
        &["--machine", "microvm", "--boot", "bios", "version"],
        &["--boot", "uefi", "--initrd", "Cargo.toml", "version"],
        &["echo one\necho two"],
    ] {
        let said = exec(arguments);
        ends_with(&said, 2);
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert!(!said.stderr.is_empty(), "{arguments:?}: no reason");
    }
}

#[test]
fn a_file_of_settings_is_handed_over_and_the_command_line_counts_more() {
    let scratch = Scratch::new().unwrap();
    let settings = scratch.path().join("settings");
    for platform in ["q35", "pc", "microvm"] {
        std::fs::write(&settings, "# mine\nfrom=file\ndebug=0\n").unwrap();
        let said = exec(&[
            "--no-devices",
            "--machine",
            platform,
            "--initrd",
            settings.to_str().unwrap(),
            "--cmdline",
            "debug=1",
            "status | match from=file",
            "debug panic",
        ]);
        ends_with(&said, 3);
        assert!(said.stdout.contains("unknown key"), "{said:?}");
        assert!(said.stderr.contains("panic: "), "{said:?}");
    }
    std::fs::write(&settings, [0xff; 9000]).unwrap();
    let settings = settings.to_str().unwrap();
    let said = exec(&[
        "--no-devices",
        "--initrd",
        settings,
        "status | match ramdisk",
    ]);
    ends_with(&said, 0);
    assert!(said.stdout.contains("not UTF-8"), "{said:?}");
}

#[test]
fn exec_ends_with_3_and_names_the_serial_log_when_the_kernel_panics() {
    for commands in [
        &["debug panic"][..],
        &["debug fault"],
        &["echo before", "debug overflow", "echo never"],
    ] {
        let said = exec(&[&["--cmdline", "debug=1"], commands].concat());
        ends_with(&said, 3);
        assert!(said.stderr.contains("panic: "), "{said:?}");
        assert!(!said.stdout.contains("never"), "{said:?}");
        let log = said
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("serial log: "));
        let log = std::fs::read(log.unwrap()).unwrap();
        assert!(String::from_utf8_lossy(&log).contains("panic: "));
    }
}

#[test]
fn exec_ends_with_3_when_the_machine_resets_before_the_last_command() {
    let said = exec(&["reboot", "echo never"]);
    ends_with(&said, 3);
    assert!(said.stderr.contains("reset"), "{said:?}");
}

#[test]
fn exec_ends_with_4_and_names_the_serial_log_when_time_runs_out() {
    // The hang is found by the kernel itself, but later.
    let said = exec(&[
        "--cmdline",
        "debug=1",
        "--timeout",
        "2",
        "debug hang",
        "echo never",
    ]);
    ends_with(&said, 4);
    assert!(said.stderr.contains("serial log: "), "{said:?}");
}

#[test]
fn exec_ends_with_0_when_the_last_command_ends_the_machine_as_it_should() {
    for command in ["poweroff", "reboot"] {
        ends_with(&exec(&["echo before", command]), 0);
    }
}

#[test]
fn exec_with_json_prints_one_document_a_command_errors_included() {
    let said = exec(&["--json", "version", "echo one; echo two", "no-such-command"]);
    ends_with(&said, 1);
    let documents: Vec<_> = said
        .stdout
        .lines()
        .map(|line| report::parse_line(line).unwrap())
        .collect();
    let summary: Vec<(&str, bool)> = documents
        .iter()
        .map(|document| {
            (
                document["command"].as_str().unwrap(),
                document["ok"].as_bool().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("version", true),
        ("echo one", true),
        ("echo two", true),
        ("no-such-command", false),
    ];
    assert_eq!(summary, expected);
    assert!(
        documents[3]["error"]
            .as_str()
            .unwrap()
            .contains("unknown command")
    );
}

#[test]
fn run_reads_commands_from_a_pipe_and_ends_with_its_input() {
    let said = call(&["run"], "version\n", CALL_WITHIN).unwrap();
    ends_with(&said, 0);
    assert!(said.stdout.contains("rayos> version"), "{said:?}");
    assert!(said.stdout.contains("rustc"), "{said:?}");
    assert!(said.stdout.contains("switching off"), "{said:?}");
}

/// Many more bytes than the kernel keeps while it works.
#[test]
fn run_loses_no_line_of_a_long_script() {
    let scratch = Scratch::new().unwrap();
    let script = scratch.path().join("script");
    let lines = (0..600).map(|number| format!("echo this is line {number} of them\n"));
    std::fs::write(&script, lines.collect::<String>()).unwrap();
    let (xtask, script) = (xtask_binary::path().unwrap(), script.display().to_string());
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" run < \"$1\""]);
    shell.arg(xtask).arg(script);
    let said = process::ask(&mut shell, Deadline::after(CALL_WITHIN)).unwrap();
    ends_with(&said, 0);
    for number in 0..600 {
        let answer = format!("\nthis is line {number} of them\r\n");
        assert!(said.stdout.contains(&answer), "line {number}: {said:?}");
    }
}

#[test]
fn run_goes_on_with_a_script_when_the_kernel_has_booted_again() {
    let script = "debug panic\necho still there\n";
    let said = call(&["run", "--cmdline", "debug=1"], script, CALL_WITHIN).unwrap();
    ends_with(&said, 3);
    let (_, behind) = said.stdout.split_once("rebooting").unwrap();
    assert!(behind.contains("\nstill there\r\n"), "{said:?}");
}

#[test]
fn run_without_any_input_ends_too() {
    let said = call(
        &["run", "--machine", "microvm", "--smp", "1"],
        "",
        CALL_WITHIN,
    )
    .unwrap();
    ends_with(&said, 0);
}
