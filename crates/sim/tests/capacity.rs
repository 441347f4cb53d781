//! What is full says so, and is to be seen in `status` and `limits`.

use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::base::trace::Kind;
use rayos_kernel::kernel::Machine;
use rayos_kernel::limits::{CONFIG_PROBLEMS_MAX, LINE_MAX, TRACE_EVENTS_MAX};
use rayos_sim::framed::{Answer, Decoder, Event};
use rayos_sim::{Settings, World};

fn world(command_line: &str) -> World {
    World::single(Settings {
        command_line: format!("shell=framed {command_line}"),
        ..Settings::default()
    })
}

fn run(world: &mut World, line: &[u8]) -> Answer {
    let mut decoder = Decoder::default();
    for part in line.chunks(1024) {
        world.feed(0, part);
        world.run_for(Duration::from_millis(1));
    }
    world.feed(0, b"\n");
    let mut answer = None;
    world.run_until(Duration::from_secs(5), |world| {
        for byte in world.serial(0).take_arrived() {
            if let Some(Event::Answer(came)) = decoder.push(byte) {
                answer = Some(came);
            }
        }
        answer.is_some()
    });
    answer.expect("no answer")
}

#[test]
fn a_report_that_does_not_fit_is_cut_at_a_row_and_says_so() {
    let mut world = world("");
    for number in 0..TRACE_EVENTS_MAX as u64 {
        let trace = world.machine(0).trace();
        trace.push(Instant::ZERO, 0, Kind::Wake, number, 7);
    }
    let line = format!("trace-ring {TRACE_EVENTS_MAX}");
    let answer = run(&mut world, line.as_bytes());
    assert!(answer.has_succeeded);
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!(
        lines.last(),
        Some(&"(cut: the answer did not fit its memory; narrow what is asked for)")
    );
    assert!(
        lines[lines.len() - 2].ends_with("  7"),
        "{}",
        lines[lines.len() - 2]
    );
    let json = run(&mut world, format!("{line} --json").as_bytes());
    assert!(json.text.ends_with("],\"cut\":true}\n"));
    assert_near(&mut world, "REPORT_CELLS_MAX");
}

#[test]
fn a_line_that_is_too_long_or_no_text_is_refused_and_the_next_one_works() {
    let mut world = world("");
    let answer = run(&mut world, &vec![b'x'; 3 * LINE_MAX]);
    assert!(!answer.has_succeeded);
    assert!(
        answer
            .text
            .starts_with("error: the line has 3072 bytes; at most 1024 are taken")
    );
    let answer = run(&mut world, b"echo \xff\xfe");
    assert_eq!(answer.text, "error: the line is not UTF-8 text at byte 6\n");
    assert_eq!(run(&mut world, b"echo ok").text, "ok\n");
    assert_near(&mut world, "LINE_MAX");
}

#[test]
fn more_configuration_problems_than_are_kept_are_counted() {
    let words: Vec<String> = (0..CONFIG_PROBLEMS_MAX + 3)
        .map(|n| format!("w{n}"))
        .collect();
    let mut world = world(&words.join(" "));
    let status = run(&mut world, b"status");
    assert!(status.text.contains("and 3 more"));
    assert_near(&mut world, "CONFIG_PROBLEMS_MAX");
}

/// The capacity is in the last table of `status` and has refused something in `limits`.
fn assert_near(world: &mut World, name: &str) {
    let status = run(world, b"status");
    let near = status.text.split("near their limit:").nth(1).unwrap();
    assert!(near.contains(name), "{near}");
    let limits = run(
        world,
        format!("limits | where name={name} | where refused>0").as_bytes(),
    );
    assert!(limits.text.contains(name), "{}", limits.text);
}

#[test]
fn a_report_of_any_length_goes_out_over_a_console_of_any_speed() {
    for speed in [50, 960, 11_520, 0] {
        let mut world = world("");
        let fast = run(&mut world, b"limits --json").text;
        world.serial(0).set_speed(speed);
        let within = Duration::from_secs(600);
        let slow = world.try_ask(0, "limits --json", within);
        let slow = slow.expect("no answer").text;
        // What is in use differs in a few digits.
        assert!(slow.len().abs_diff(fast.len()) < 100);
        assert!(slow.ends_with("]}]}\n"), "{slow}");
    }
}
