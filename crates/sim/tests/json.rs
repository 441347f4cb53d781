//! The JSON face, read by a parser that nobody here wrote.

use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::report::{Report, Value};
use rayos_kernel::shell::render::{Face, Rendering};
use rayos_sim::scenario::{Item, Scenario};
use rayos_sim::{Settings, World};
use std::path::Path;

/// The lines of one answer, each parsed.
fn run(world: &mut World, line: &str) -> (Vec<serde_json::Value>, bool) {
    let answer = world.ask(0, line);
    let parsed = answer.text.lines().map(|text| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    });
    (parsed.collect(), answer.has_succeeded)
}

fn world() -> World {
    World::single(Settings {
        command_line: "shell=framed-json".to_string(),
        ..Settings::default()
    })
}

#[test]
fn every_answer_is_one_line_of_json_also_an_error() {
    let mut world = world();
    let (answers, has_succeeded) = run(&mut world, "mem status; mem staus; echo 'a\"b\\'");
    assert!(!has_succeeded);
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["command"], "mem status");
    assert_eq!(answers[0]["ok"], true);
    assert_eq!(answers[0]["report"][0]["kind"], "fields");
    assert_eq!(answers[0]["report"][0]["fields"]["total_bytes"], 128 << 20);
    assert_eq!(answers[1]["ok"], false);
    let error = "unknown subcommand \"staus\" of mem; did you mean \"status\"?";
    assert_eq!(answers[1]["error"], error);
    assert_eq!(answers[2]["report"][0]["lines"][0], "a\"b\\");
}

#[test]
fn what_scenarios_ask_is_answered_in_json_too() {
    let mut world = world();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for item in Scenario::parse("", &text).unwrap().items {
            let Item::Command(command) = item else {
                continue;
            };
            let is_an_end = ["poweroff", "reboot"].contains(&command.line.as_str());
            if is_an_end || command.line.trim() == ";" {
                continue;
            }
            let (answers, has_succeeded) = run(&mut world, &command.line);
            let is_ok = answers.iter().all(|answer| answer["ok"] == true);
            assert!(!answers.is_empty(), "{}", command.line);
            assert_eq!(is_ok, has_succeeded, "{}", command.line);
        }
    }
}

#[test]
fn any_report_in_any_pieces_is_the_same_valid_line() {
    let mut prng = Prng::new(7);
    for _ in 0..200 {
        let mut report = Report::new();
        report.begin(&any_text(&mut prng));
        for _ in 0..prng.below(5) {
            let mut table = report.table("t", &["name", "used_bytes", "full_ratio"]);
            for _ in 0..prng.below(20) {
                let name = any_text(&mut prng);
                table.row(&[
                    name.as_str().into(),
                    any_value(&mut prng),
                    any_value(&mut prng),
                ]);
            }
            let text = any_text(&mut prng);
            report
                .fields("f")
                .text("key", &text)
                .value("n_us", any_value(&mut prng));
            report.text("t").line(text.as_str());
        }
        for face in [
            Face::Json,
            Face::Text { columns: Some(40) },
            Face::Text { columns: None },
        ] {
            let whole = render(&report, face, || 1 << 20);
            let pieces = render(&report, face, || 1 + prng.below(40) as usize);
            assert_eq!(whole, pieces);
            let is_clean = |byte: &u8| *byte >= b' ' || *byte == b'\n';
            assert!(whole.iter().all(is_clean), "a control byte got through");
        }
        let line = render(&report, Face::Json, || 1 << 20);
        let parsed: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(parsed["command"], report.command());
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}

fn render(report: &Report, face: Face, mut room: impl FnMut() -> usize) -> Vec<u8> {
    let mut rendering = Rendering::new(face);
    let mut bytes = Vec::new();
    while !rendering.is_done() {
        let mut piece = vec![0; room()];
        let count = rendering.render(report, &mut piece);
        bytes.extend_from_slice(&piece[..count]);
    }
    bytes
}

fn any_text(prng: &mut Prng) -> String {
    let count = prng.below(60);
    let letter = |_| char::from_u32(prng.below(0x500) as u32).unwrap_or(' ');
    (0..count).map(letter).collect()
}

fn any_value(prng: &mut Prng) -> Value<'static> {
    match prng.below(6) {
        0 => Value::Unknown,
        1 => Value::Bool(prng.one_in(2)),
        2 => Value::Count(prng.next_u64()),
        3 => Value::Signed(prng.next_u64() as i64),
        4 => Value::Ratio {
            of: prng.next_u64(),
            to: prng.below(3),
        },
        _ => Value::Count(prng.below(2000)),
    }
}
