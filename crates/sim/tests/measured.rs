//! Measured boot in whole kernels, with a TPM that works, fails, stalls, and with none.

use rayos_kernel::base::digest::{Digest, sha256};
use rayos_kernel::base::time::Duration;
use rayos_kernel::limits::EVENT_LOG_EVENTS_MAX;
use rayos_kernel::security::measured::record::Record;
use rayos_kernel::security::measured::request::NV_INDEX;
use rayos_sim::framed::{Answer, Decoder, Event};
use rayos_sim::segment::Segment;
use rayos_sim::{Settings, SimTpm, TpmSettings, World};

struct Desk(World);

impl Desk {
    fn new(tpm: Option<TpmSettings>, settings: &str) -> Self {
        Self(World::single(Settings {
            command_line: format!("shell=framed {settings}"),
            tpm,
            ..Settings::default()
        }))
    }

    fn with_tpm() -> Self {
        Self::new(Some(TpmSettings::default()), "")
    }

    fn ask(&mut self, line: &str) -> Answer {
        self.maybe_ask(line, Duration::from_secs(20))
            .unwrap_or_else(|| panic!("{line}: no answer"))
    }

    fn maybe_ask(&mut self, line: &str, within: Duration) -> Option<Answer> {
        self.0.feed(0, format!("{line}\n").as_bytes());
        self.0.run_for(within);
        let mut decoder = Decoder::default();
        let bytes = self.0.serial(0).take_arrived();
        let mut events = bytes.into_iter().filter_map(|byte| decoder.push(byte));
        events.find_map(|event| match event {
            Event::Answer(answer) => Some(answer),
            Event::Panic(report) => panic!("{line}: {report}"),
            Event::Ready => None,
        })
    }

    fn register(&mut self, pcr: usize) -> Digest {
        self.0.machine(0).tpm.as_ref().unwrap().pcr(pcr).unwrap()
    }

    fn tpm(&mut self) -> &mut SimTpm {
        self.0.machine(0).tpm.as_mut().unwrap()
    }

    fn ticks(&mut self) -> u64 {
        let answer = self.maybe_ask("status | match ticks", Duration::from_millis(10));
        number_behind(&answer.unwrap().text, "ticks")
    }

    /// The number behind the last of those words.
    fn number(&mut self, line: &str, name: &str) -> u64 {
        number_behind(&self.ask(line).text, name)
    }
}

fn number_behind(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().rev();
    let found = lines.find_map(|line| line.trim().strip_prefix(name));
    let found = found.unwrap_or_else(|| panic!("{name}: {text}"));
    found.trim().parse().unwrap()
}

#[test]
fn what_was_booted_is_in_the_tpm_and_the_log_gives_the_same() {
    let mut desk = Desk::with_tpm();
    let status = desk.ask("tpm status");
    assert!(status.text.contains("attested") && !status.text.contains("not attested"));
    assert!(!status.text.contains("to come"), "{}", status.text);
    assert!(desk.ask("tpm verify").has_succeeded);
    let log = desk.ask("tpm log").text;
    let mut replayed: [Digest; 16] = Default::default();
    for line in log.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pcr: usize = words[1].parse().unwrap();
        let mut digest = [0; 32];
        for (index, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&words[3][2 * index..][..2], 16).unwrap();
        }
        replayed[pcr] = sha256(&[&replayed[pcr], &digest]);
    }
    for (pcr, replayed) in replayed.iter().enumerate() {
        assert_eq!(desk.register(pcr), *replayed, "register {pcr}");
    }
    for pcr in [0, 4, 8, 9, 10] {
        assert_ne!(desk.register(pcr), Digest::default(), "register {pcr}");
    }
}

#[test]
fn another_command_line_or_token_is_another_register() {
    let registers = |settings: &str| {
        let mut desk = Desk::new(Some(TpmSettings::default()), settings);
        desk.ask("version");
        [4, 8, 9, 10].map(|pcr| desk.register(pcr))
    };
    let plain = registers("");
    assert_eq!(registers(""), plain);
    for other in [
        "keymap=de",
        "token=correct-horse-battery",
        "token=correct-horse-batterz",
    ] {
        let changed = registers(other);
        assert_ne!(changed[0], plain[0], "{other}");
        assert_eq!(changed[1..], plain[1..], "{other}");
    }
    assert_ne!(
        registers("token=correct-horse-battery")[0],
        registers("token=correct-horse-batterz")[0]
    );
}

#[test]
fn a_changed_policy_a_launch_and_an_anchor_are_measured() {
    let mut desk = Desk::with_tpm();
    desk.ask("version");
    let before = [10, 11, 12].map(|pcr| desk.register(pcr));
    assert!(desk.ask("security rule add deny visitor * *").has_succeeded);
    assert!(desk.ask("device load start 1 console 1 1").has_succeeded);
    assert!(desk.ask("audit anchor").has_succeeded);
    let after = [10, 11, 12].map(|pcr| desk.register(pcr));
    for index in 0..3 {
        assert_ne!(before[index], after[index], "{index}");
    }
    let log = desk.ask("tpm log").text;
    for text in [
        "rayos policy sha256=",
        "rayos launch for=tenant-1 file=load",
        "rayos audit head=",
    ] {
        assert!(log.contains(text), "{text}: {log}");
    }
    assert!(desk.ask("tpm verify").has_succeeded);
}

#[test]
fn an_extension_that_is_not_logged_is_named_by_its_register_and_the_event_before() {
    let mut desk = Desk::with_tpm();
    desk.ask("version");
    desk.0
        .machine(0)
        .tpm
        .as_mut()
        .unwrap()
        .extend_unseen(8, &[7; 32]);
    let answer = desk.ask("tpm verify");
    assert!(!answer.has_succeeded);
    assert!(
        answer.text.contains("register 8, \"rayos kernel-data"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("not logged"), "{}", answer.text);
}

/// Whenever it fails, the kernel runs, takes commands, and does not call itself attested.
#[test]
fn a_tpm_that_fails_at_any_command_leaves_a_running_kernel_that_says_so() {
    let mut sound = Desk::with_tpm();
    sound.ask("version");
    let commands = sound.0.machine(0).tpm.as_ref().unwrap().commands();
    assert!(commands > 10);
    for from in 1..=commands {
        for stalls in [false, true] {
            let mut settings = TpmSettings::default();
            match stalls {
                true => settings.stalls_from = Some(from),
                false => settings.fails_from = Some(from),
            }
            let mut desk = Desk::new(Some(settings), "");
            let answer = desk.maybe_ask("tpm status | match registers", Duration::from_secs(120));
            let text = answer
                .unwrap_or_else(|| panic!("{from} {stalls}: no answer"))
                .text;
            let is_marked = text.contains("software (not attested)");
            // What comes behind the last measurement does not take the attestation away.
            let is_before_the_end = from + 2 < commands;
            assert!(is_marked || !is_before_the_end, "{from} {stalls}: {text}");
            assert!(
                desk.maybe_ask("tpm verify", Duration::from_secs(120))
                    .is_some()
            );
        }
    }
}

/// What waits for a TPM waits for time to pass, and does not ask again and again.
#[test]
fn the_loop_sleeps_while_a_tpm_stalls_fails_or_is_done() {
    let stalling = |from| TpmSettings {
        stalls_from: Some(from),
        ..TpmSettings::default()
    };
    let settings = [
        None,
        Some(TpmSettings::default()),
        Some(stalling(1)),
        Some(stalling(8)),
    ];
    for tpm in settings {
        let shown = format!("{tpm:?}");
        let mut desk = Desk::new(tpm, "");
        desk.0.run_for(Duration::from_secs(600));
        let ticks = desk.0.kernel(0).ticks();
        assert!(ticks < 60_000, "{shown}: {ticks} ticks in ten minutes");
    }
}

#[test]
fn without_a_tpm_every_face_says_software_and_nothing_is_signed() {
    let mut desk = Desk::new(None, "");
    for line in [
        "status",
        "tpm status",
        "tpm pcrs",
        "tpm verify",
        "tpm status --json",
    ] {
        let text = desk.ask(line).text;
        assert!(text.contains("software (not attested)"), "{line}: {text}");
    }
    for line in ["tpm quote 00", "tpm nv store", "tpm nv load"] {
        let answer = desk.ask(line);
        assert!(!answer.has_succeeded, "{line}");
        assert!(
            answer.text.contains("software (not attested)"),
            "{line}: {}",
            answer.text
        );
    }
}

#[test]
fn a_tpm_that_is_to_be_left_alone_is_not_touched() {
    let mut desk = Desk::new(Some(TpmSettings::default()), "tpm=off");
    assert!(
        desk.ask("tpm status")
            .text
            .contains("software (not attested)")
    );
    assert_eq!(desk.0.machine(0).tpm.as_ref().unwrap().commands(), 0);
}

#[test]
fn a_full_log_refuses_extends_counts_them_and_launches_nothing() {
    let mut desk = Desk::with_tpm();
    for _ in 0..EVENT_LOG_EVENTS_MAX {
        desk.maybe_ask("echo one; audit anchor", Duration::from_millis(400));
    }
    let status = desk.ask("tpm status").text;
    assert!(
        status.contains("not attested: something was not measured"),
        "{status}"
    );
    let refused = desk
        .ask("limits | where name=EVENT_LOG_EVENTS_MAX | where refused>0")
        .text;
    assert!(refused.contains("EVENT_LOG_EVENTS_MAX"), "{refused}");
    let launched = desk.ask("device load start 1 console 1 1");
    assert!(!launched.has_succeeded);
    assert!(launched.text.contains("log is full"), "{}", launched.text);
    // The log and the registers still say the same.
    assert!(desk.ask("tpm verify").has_succeeded);
    // A policy that cannot be measured is refused once, and not the one that was stored.
    assert!(desk.ask("tpm nv store").has_succeeded);
    let before = desk.number("tpm status", "refused");
    assert!(desk.ask("security rule add deny visitor * *").has_succeeded);
    for _ in 0..10 {
        desk.maybe_ask("version", Duration::from_millis(100));
    }
    assert_eq!(desk.number("tpm status", "refused"), before + 1);
    let loaded = desk.ask("tpm nv load | match force").text;
    assert!(loaded.contains("no"), "{loaded}");
}

#[test]
fn registers_that_held_something_that_no_log_names_are_not_called_attested() {
    let mut desk = Desk::with_tpm();
    desk.tpm().extend_unseen(2, &[7; 32]);
    let state = desk.ask("tpm status | match state").text;
    assert!(state.contains("not attested"), "{state}");
    let requirement = "audit compliance | where requirement=boot-attested";
    assert!(desk.ask(requirement).text.contains("violated"));
}

#[test]
fn a_record_from_another_hand_with_the_largest_number_is_no_danger() {
    let mut desk = Desk::with_tpm();
    assert!(desk.ask("tpm nv store").has_succeeded);
    let record = Record {
        stored: u64::MAX,
        ..Record::default()
    };
    *desk.tpm().nv_mut(NV_INDEX).unwrap() = record.emit().to_vec();
    assert!(desk.ask("tpm nv load").has_succeeded);
    assert!(desk.ask("tpm nv store").has_succeeded);
    assert!(desk.ask("version").has_succeeded);
}

#[test]
fn waiting_for_a_slow_tpm_costs_few_ticks_and_nobody_is_let_in_meanwhile() {
    let segment = Segment::new(1);
    let machine = |number: u64, tpm| Settings {
        seed: number,
        command_line: format!("shell=framed ip=10.77.0.{number}/24"),
        segments: vec![segment.clone()],
        tpm,
        ..Settings::default()
    };
    let slow = TpmSettings {
        latency: Duration::from_millis(400),
        ..TpmSettings::default()
    };
    let machines = vec![machine(1, None), machine(2, Some(slow))];
    let mut desk = Desk(World::new(machines));
    desk.0.run_for(Duration::from_secs(2));
    desk.0.serial(0).take_arrived();
    let page = "net fetch http://10.77.0.2/";
    // The connection is tried again and again, or refused.
    let early = desk.maybe_ask(page, Duration::from_secs(3));
    assert!(early.is_none_or(|answer| !answer.has_succeeded));
    desk.0.run_for(Duration::from_secs(100));
    desk.0.serial(0).take_arrived();
    let later = desk.ask(page);
    assert!(later.has_succeeded, "{}", later.text);
    desk.0.feed(1, b"status | match ticks\n");
    desk.0.run_for(Duration::from_secs(1));
    let told = desk.0.serial(1).take_arrived();
    let told = String::from_utf8_lossy(&told);
    let (_, behind) = told.rsplit_once("ticks ").expect("it is told");
    let ticks: u64 = behind.split_whitespace().next().unwrap().parse().unwrap();
    assert!(ticks < 20_000, "{ticks}");
}

#[test]
fn an_anchor_that_a_slow_tpm_does_not_reach_keeps_nobody_awake() {
    let mut desk = Desk::with_tpm();
    desk.ask("version");
    desk.tpm().settings_mut().latency = Duration::from_secs(4);
    // They are measured first, one after the other.
    for _ in 0..20 {
        let rule = "security rule add deny visitor * *";
        desk.maybe_ask(rule, Duration::from_millis(10));
    }
    desk.maybe_ask("audit anchor", Duration::from_secs(61));
    let before = desk.ticks();
    desk.maybe_ask("audit anchor", Duration::from_millis(10));
    desk.0.run_for(Duration::from_millis(100));
    let ticks = desk.ticks() - before;
    assert!(ticks < 100, "{ticks}");
}

#[test]
fn a_tpm_is_told_before_the_machine_restarts_or_is_switched_off() {
    for command in ["reboot", "poweroff"] {
        let mut desk = Desk::with_tpm();
        desk.ask("tpm verify");
        let is_told = |desk: &mut Desk| desk.0.machine(0).tpm.as_ref().unwrap().is_shut_down();
        assert!(!is_told(&mut desk));
        desk.maybe_ask(command, Duration::from_secs(5));
        assert_eq!(desk.0.machine(0).power_actions.len(), 1);
        assert!(is_told(&mut desk), "{command}");
    }
}
