//! The one gate in whole kernels: what is not allowed is not done, by nobody and at no face.

use rayos_kernel::base::digest::Digest;
use rayos_kernel::base::time::Duration;
use rayos_kernel::shell::catalog::{Action, Argument, COMMANDS, Command, Kind};
use rayos_sim::framed::{Answer, Decoder, Event};
use rayos_sim::{Settings, World};

struct Desk(World);

impl Desk {
    fn new() -> Self {
        let mut desk = Self(World::single(Settings {
            command_line: "shell=framed debug=1".to_string(),
            ..Settings::default()
        }));
        desk.0.run_for(Duration::from_millis(50));
        desk.0.serial(0).take_arrived();
        desk
    }

    fn ask(&mut self, line: &str) -> Answer {
        self.0.feed(0, format!("{line}\n").as_bytes());
        self.0.run_for(Duration::from_secs(5));
        let mut decoder = Decoder::default();
        let bytes = self.0.serial(0).take_arrived();
        let mut events = bytes.into_iter().filter_map(|byte| decoder.push(byte));
        events
            .find_map(|event| match event {
                Event::Answer(answer) => Some(answer),
                Event::Panic(report) => panic!("{line}: {report}"),
                Event::Ready => None,
            })
            .unwrap_or_else(|| panic!("{line}: no answer"))
    }

    fn policy(&mut self) -> Digest {
        *self.0.kernel(0).security().policy.digest()
    }
}

/// A line that the action understands, as far as its arguments tell.
fn sample(command: &Command, action: &Action) -> String {
    let mut line = command.name.to_string();
    if !action.name.is_empty() {
        line = format!("{line} {}", action.name);
    }
    let whole = match line.as_str() {
        "firewall test" => Some("in tcp from 1.2.3.4 port 5 to 10.0.2.15 port 23"),
        "security check" => Some("serial look command:help"),
        "cap check" => Some("serial NET"),
        "audit filter" => Some("level=info"),
        "firewall add" => Some("deny tcp from any to any port 23"),
        "security rule add" => Some("deny visitor * *"),
        "watch" => Some("1 version"),
        _ => None,
    };
    if let Some(words) = whole {
        return format!("{line} {words}");
    }
    for argument in action
        .arguments
        .iter()
        .filter(|argument| argument.is_required)
    {
        line = format!("{line} {}", word(argument));
    }
    line
}

fn word(argument: &Argument) -> String {
    match argument.kind {
        Kind::Keyword(words) => words[0].to_string(),
        Kind::Number { least, .. } => least.to_string(),
        Kind::Command => "version".to_string(),
        Kind::Phrase(_) | Kind::Text => match argument.name {
            "NONCE" => "00ff".to_string(),
            "SUBJECT" => "tenant-1".to_string(),
            "CAPABILITIES" => "NET".to_string(),
            "TIME" => "10m".to_string(),
            "DISK" => "disk0".to_string(),
            "SIZE" => "1M".to_string(),
            "OFFSET" => "0".to_string(),
            "REQUESTS" | "BYTES" => "none".to_string(),
            "ADDRESS" => "00:01.0".to_string(),
            "TARGET" => "127.0.0.1".to_string(),
            "URL" => "http://127.0.0.1/".to_string(),
            _ => "x".to_string(),
        },
    }
}

fn actions() -> impl Iterator<Item = (&'static Command, &'static Action)> {
    let all = COMMANDS.iter();
    all.flat_map(|command| command.actions.iter().map(move |action| (command, action)))
}

/// The promise of the catalog: a handler that wants something done and whose row needs no
/// capability would break an invariant here; and what needs one is not done without it.
#[test]
fn without_a_capability_every_command_only_looks() {
    let mut desk = Desk::new();
    assert!(desk.ask("cap standing serial none").has_succeeded);
    let before = desk.policy();
    let (mut refused, mut looked) = (0, 0);
    for (command, action) in actions() {
        let line = sample(command, action);
        let answer = desk.ask(&line);
        let needs = action.access.needs();
        if needs.is_empty() {
            assert!(
                !answer.text.contains(", which serial does not hold"),
                "{line}"
            );
            looked += 1;
            continue;
        }
        assert!(!answer.has_succeeded, "{line}: {}", answer.text);
        let reason = format!("needs {needs}, which serial does not hold");
        assert!(answer.text.contains(&reason), "{line}: {}", answer.text);
        refused += 1;
    }
    assert!(
        refused > 40 && looked > 40,
        "{refused} refused, {looked} looked"
    );
    assert_eq!(desk.policy(), before);
    let machine = desk.0.machine(0);
    assert!(machine.power_actions.is_empty() && machine.debug_actions.is_empty());
}

#[test]
fn what_changes_something_needs_a_capability_and_what_is_for_everybody_changes_nothing() {
    for (command, action) in actions() {
        let access = action.access;
        let is_named = !access.needs().is_empty();
        assert!(
            is_named || !access.is_change(),
            "{} {}",
            command.name,
            action.name
        );
    }
}

/// Looking really ran to its end: what a sample line could not reach would prove nothing.
#[test]
fn every_look_succeeds_for_who_holds_nothing() {
    let mut desk = Desk::new();
    desk.ask("cap standing serial none");
    // One is for a person, the others show what this machine does not have.
    let absent = [
        "watch",
        "display",
        "dhcp status",
        "dhcp leases",
        "dhcp history",
        "history",
    ];
    for (command, action) in actions().filter(|(_, action)| action.access.needs().is_empty()) {
        let line = sample(command, action);
        if absent.iter().any(|known| line.starts_with(known)) {
            continue;
        }
        let answer = desk.ask(&line);
        assert!(answer.has_succeeded, "{line}: {}", answer.text);
    }
}

#[test]
fn a_right_that_was_taken_is_gone_for_the_next_command_of_the_same_line() {
    let mut desk = Desk::new();
    let answer = desk.ask("cap standing serial none; poweroff; net ping 127.0.0.1");
    assert!(
        answer.text.contains("poweroff needs ADMIN"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("needs NET"), "{}", answer.text);
    assert!(desk.0.machine(0).power_actions.is_empty());
}

#[test]
fn the_policy_is_asked_before_the_capabilities_and_says_so() {
    let mut desk = Desk::new();
    let rule = "security rule add at 1 deny operator execute command:disk.flush";
    let added = desk.ask(rule);
    assert!(added.has_succeeded, "{}", added.text);
    let answer = desk.ask("disk flush disk0");
    assert!(!answer.has_succeeded);
    assert!(
        answer
            .text
            .contains("denied to serial by the security policy (rules)"),
        "{}",
        answer.text
    );
    assert!(desk.ask("security rule remove 1").has_succeeded);
    assert!(desk.ask("disk flush disk0").has_succeeded);
}

#[test]
fn every_denial_is_in_the_trail_and_the_requirement_holds() {
    let mut desk = Desk::new();
    desk.ask("cap standing serial AUDIT");
    for _ in 0..3 {
        assert!(!desk.ask("poweroff").has_succeeded);
    }
    let trail = desk.ask("audit filter outcome=denied").text;
    assert!(trail.contains("poweroff"), "{trail}");
    let requirements = desk
        .ask("audit compliance | where requirement=denials-recorded")
        .text;
    assert!(
        requirements.contains("met") && !requirements.contains("violated"),
        "{requirements}"
    );
    assert!(desk.ask("audit verify").has_succeeded);
}

#[test]
fn a_tenant_does_nothing_with_devices_before_it_is_granted_something() {
    let mut desk = Desk::new();
    let start = "device load start 1 console 10 5";
    assert!(desk.ask(start).has_succeeded);
    desk.0.run_for(Duration::from_secs(3));
    let counts = "device quota 1 | where device=console | limit 1";
    let refused = desk.ask(counts).text;
    assert!(
        desk.ask("device audit | match CONSOLE_W")
            .text
            .contains("CONSOLE_W"),
        "{refused}"
    );
    desk.ask("device load stop 1");
    assert!(desk.ask("cap grant tenant-1 CONSOLE_W 10m").has_succeeded);
    desk.0.run_for(Duration::from_secs(3));
    assert!(desk.ask(start).has_succeeded);
    desk.0.run_for(Duration::from_secs(2));
    let load = desk.ask("device load").text;
    assert!(load.contains("console"), "{load}");
    let handlers = desk.0.kernel(0).handlers();
    let tenant = rayos_kernel::base::tenant::Tenant::new(1).unwrap();
    let counts = handlers.counts(tenant, rayos_kernel::drivers::handlers::Device::Console);
    assert!(counts.allowed > 0 && counts.denied > 0, "{counts:?}");
}
