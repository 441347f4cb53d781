//! A person at two consoles: what they type and what they see.

use rayos_kernel::base::log::Level;
use rayos_kernel::base::machine::PowerAction;
use rayos_kernel::base::time::Duration;
use rayos_kernel::kernel::Machine;
use rayos_sim::{Settings, TextScreen, Wire, World};

const SERIAL: usize = 0;
const SCREEN: usize = 1;

/// A machine with two consoles and what stands on them.
struct Desk {
    world: World,
    screens: [TextScreen; 2],
}

impl Desk {
    fn new(command_line: &str) -> Self {
        let world = World::single(Settings {
            command_line: command_line.to_string(),
            screen_columns: Some(100),
            ..Settings::default()
        });
        let mut desk = Self {
            world,
            screens: [TextScreen::new(200), TextScreen::new(100)],
        };
        desk.run(Duration::from_millis(1));
        desk
    }

    fn wire(&mut self, console: usize) -> &mut Wire {
        let machine = self.world.machine(0);
        match console {
            SERIAL => &mut machine.serial,
            _ => machine.screen.as_mut().unwrap(),
        }
    }

    fn run(&mut self, span: Duration) {
        self.world.run_for(span);
        for console in [SERIAL, SCREEN] {
            let bytes = self.wire(console).take_arrived();
            self.screens[console].feed(&bytes);
        }
    }

    fn type_at(&mut self, console: usize, text: &str) {
        self.wire(console).feed(text.as_bytes());
        self.world.wake(0);
        self.run(Duration::from_millis(10));
    }

    fn text(&self, console: usize) -> String {
        self.screens[console].text()
    }

    fn is_at_prompt(&self, console: usize) -> bool {
        self.screens[console].cursor_row().trim_end() == "rayos>"
    }
}

#[test]
fn the_greeting_says_once_what_is_missing_and_then_comes_the_prompt() {
    let desk = Desk::new("speed=9");
    assert_eq!(
        desk.text(SERIAL),
        "RayOS 0.1.0 (simulated)\nmissing: hardware: this machine is simulated\n\
         configuration: speed=9: unknown key\nrayos>"
    );
    assert!(desk.is_at_prompt(SERIAL) && desk.is_at_prompt(SCREEN));
}

#[test]
fn a_line_is_echoed_answered_and_followed_by_a_prompt() {
    let mut desk = Desk::new("");
    desk.type_at(SERIAL, "echo one; ecko two; echo three\r");
    let text = desk.text(SERIAL);
    let expected = "rayos> echo one; ecko two; echo three\none\n\
         error: unknown command \"ecko\"; did you mean \"echo\"?\nthree\nrayos>";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn two_sessions_know_nothing_of_each_other() {
    let mut desk = Desk::new("");
    desk.type_at(SERIAL, "echo from serial");
    desk.type_at(SCREEN, "echo from the screen\r");
    assert!(desk.text(SCREEN).ends_with("from the screen\nrayos>"));
    assert!(!desk.text(SCREEN).contains("serial\n"));
    assert!(desk.text(SERIAL).ends_with("rayos> echo from serial"));
    desk.type_at(SERIAL, "\r");
    desk.type_at(SERIAL, "history\r");
    desk.type_at(SCREEN, "history\r");
    assert!(desk.text(SERIAL).contains("1  echo from serial\n"));
    assert!(!desk.text(SERIAL).contains("echo from the screen"));
    assert!(desk.text(SCREEN).contains("1  echo from the screen\n"));
}

#[test]
fn one_console_that_takes_nothing_does_not_hold_up_the_other() {
    let mut desk = Desk::new("");
    desk.wire(SERIAL).set_stuck(true);
    for _ in 0..40 {
        desk.type_at(SERIAL, "limits\r");
    }
    desk.type_at(SCREEN, "echo alive\r");
    assert!(desk.text(SCREEN).ends_with("alive\nrayos>"));
}

#[test]
fn what_a_slow_console_gets_late_it_gets_whole_and_in_order() {
    let mut desk = Desk::new("");
    let lines: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
    desk.wire(SERIAL).set_stuck(true);
    for line in &lines {
        desk.type_at(SERIAL, &format!("echo {line}; limits | limit 3\r"));
    }
    desk.wire(SERIAL).set_stuck(false);
    desk.wire(SERIAL).set_speed(11_520);
    desk.world.wake(0);
    desk.run(Duration::from_secs(60));
    let text = desk.text(SERIAL);
    let mut rest = text.as_str();
    for line in &lines {
        let answer = format!("\n{line}\nname");
        let at = rest.find(&answer);
        let at = at.unwrap_or_else(|| panic!("{line} is missing in {text}"));
        rest = &rest[at + answer.len()..];
    }
    assert!(desk.is_at_prompt(SERIAL));
}

#[test]
fn pasted_megabytes_do_no_harm() {
    let mut desk = Desk::new("");
    let junk: String = ('\u{1}'..='\u{2fff}').collect();
    let mut fed = 0;
    while fed < 4 << 20 {
        // As fast as the line takes it: what it drops is the device's business.
        desk.type_at(SERIAL, &junk);
        fed += junk.len();
    }
    desk.wire(SERIAL).feed(b"\x03\x1b\x03\r\x1b[201~\x03\r");
    desk.world.wake(0);
    desk.run(Duration::from_secs(10));
    // Whatever the junk had switched on, an interrupt and a moment later a line works.
    desk.type_at(SERIAL, "\x03");
    desk.type_at(SERIAL, "echo still here\r");
    let text = desk.text(SERIAL);
    let end = text.len() - text.len().min(500);
    assert!(text.ends_with("still here\nrayos>"), "{}", &text[end..]);
}

#[test]
fn ctrl_c_ends_a_print_and_drops_what_was_typed_ahead() {
    let mut desk = Desk::new("");
    desk.wire(SERIAL).set_speed(20_000);
    let line = ["limits; "; 15].concat();
    desk.type_at(SERIAL, &format!("{line}echo never\recho neither\r"));
    desk.type_at(SERIAL, "\x03");
    desk.run(Duration::from_secs(10));
    desk.wire(SERIAL).set_speed(0);
    desk.type_at(SERIAL, "echo next\r");
    let text = desk.text(SERIAL);
    assert!(text.ends_with("rayos> echo next\nnext\nrayos>"), "{text}");
    assert!(text.contains("\n^C\nrayos> "));
    assert!(!text.contains("\nnever") && !text.contains("neither"));
}

#[test]
fn watch_repeats_over_itself_until_a_key() {
    let mut desk = Desk::new("");
    desk.type_at(SERIAL, "watch 0.5 uptime | match uptime\r");
    let shown = |desk: &Desk| desk.text(SERIAL);
    let first = shown(&desk);
    assert!(first.starts_with("uptime  "), "{first}");
    desk.run(Duration::from_millis(1_600));
    let later = shown(&desk);
    assert!(later.starts_with("uptime  1.5 s"), "{later}");
    assert_eq!(later.lines().count(), 1, "{later}");
    desk.type_at(SERIAL, "q");
    assert!(desk.is_at_prompt(SERIAL));
    let stopped = shown(&desk);
    desk.run(Duration::from_secs(3));
    assert_eq!(shown(&desk), stopped);
    desk.type_at(SERIAL, "watch 1 poweroff\r");
    assert!(
        desk.text(SERIAL)
            .contains("error: watch repeats commands that show something")
    );
    assert!(desk.world.machine(0).power_actions.is_empty());
}

#[test]
fn bad_news_appears_above_the_line_that_is_being_typed() {
    let mut desk = Desk::new("");
    desk.type_at(SERIAL, "echo half");
    let now = desk.world.now();
    let log = desk.world.machine(0).log();
    log.write(now, Level::Info, "net", format_args!("not for the prompt"));
    log.write(now, Level::Warn, "net", format_args!("cable pulled"));
    desk.world.wake(0);
    desk.run(Duration::from_millis(1));
    let text = desk.text(SERIAL);
    assert!(
        text.contains("] warn net: cable pulled\nrayos> echo half"),
        "{text}"
    );
    assert!(!text.contains("not for the prompt"));
    assert_eq!(text.matches("echo half").count(), 1);
    assert!(
        desk.text(SCREEN)
            .contains("] warn net: cable pulled\nrayos>")
    );
}

#[test]
fn tab_completes_commands_arguments_and_columns() {
    let mut desk = Desk::new("");
    desk.type_at(SERIAL, "upt\t\r");
    assert!(
        desk.text(SERIAL).contains("rayos> uptime \nready")
            || desk.text(SERIAL).contains("uptime   ")
    );
    desk.type_at(SERIAL, "mem m\t\r");
    assert!(
        desk.text(SERIAL).contains("rayos> mem map\nranges:"),
        "{}",
        desk.text(SERIAL)
    );
    desk.type_at(SERIAL, "limits | sort rea\t| limit 1\r");
    assert!(
        desk.text(SERIAL)
            .contains("rayos> limits | sort reason | limit 1\nname")
    );
    desk.type_at(SERIAL, "log wa\t\r");
    assert!(desk.text(SERIAL).contains("rayos> log warn\n"));
}

#[test]
fn clear_leaves_nothing_but_the_prompt() {
    let mut desk = Desk::new("");
    desk.type_at(SERIAL, "help; clear\r");
    assert_eq!(desk.text(SERIAL), "rayos>");
    desk.type_at(SERIAL, "help\r");
    desk.type_at(SERIAL, "ec\x0c");
    assert_eq!(desk.text(SERIAL), "rayos> ec");
}

#[test]
fn what_is_shown_fits_the_screen() {
    let mut desk = Desk::new("");
    desk.type_at(SCREEN, "limits; help; status\r");
    let is_cut_limit = |line: &&str| line.starts_with("CORES_MAX") && line.ends_with("...");
    let text = desk.text(SCREEN);
    assert!(text.lines().all(|line| line.chars().count() <= 100));
    // One row each: had a line been wider, its rest would stand in a row of its own.
    let rows = text.lines().skip_while(|line| !line.starts_with("name"));
    let rows: Vec<&str> = rows
        .take_while(|line| !line.starts_with("commands"))
        .collect();
    assert_eq!(rows.len(), rayos_kernel::limits::LIMITS.len() + 1);
    assert!(rows.iter().any(|line| is_cut_limit(&&**line)), "{text}");
}

#[test]
fn the_machine_stops_behind_its_answer_whatever_follows_in_the_line() {
    let mut desk = Desk::new("");
    desk.type_at(SCREEN, "poweroff; echo too late\r");
    assert_eq!(desk.world.machine(0).power_actions, [PowerAction::PowerOff]);
    assert!(desk.text(SCREEN).contains("switching off"));
    assert!(!desk.text(SCREEN).contains("\ntoo late"));
}
