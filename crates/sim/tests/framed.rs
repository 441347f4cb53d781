//! A whole kernel talked to over the framed protocol.

use rayos_kernel::base::machine::PowerAction;
use rayos_kernel::base::time::Duration;
use rayos_sim::framed::{Decoder, Event};
use rayos_sim::{Settings, World};

fn events(world: &mut World, line: &str) -> Vec<Event> {
    world.feed(0, line.as_bytes());
    world.run_for(Duration::from_secs(5));
    let mut decoder = Decoder::default();
    let bytes = world.serial(0).take_arrived();
    bytes
        .into_iter()
        .filter_map(|byte| decoder.push(byte))
        .collect()
}

#[test]
fn a_line_is_answered_in_a_frame_and_the_next_is_awaited() {
    let mut world = World::single(Settings::default());
    assert_eq!(events(&mut world, ""), [Event::Ready]);
    let events = events(&mut world, "echo one; echo 'two  three'; nope\n");
    let Some(Event::Answer(answer)) = events.first() else {
        panic!("{events:?}");
    };
    assert_eq!(
        answer.text,
        "one\ntwo  three\nerror: unknown command \"nope\"; help lists all commands\n"
    );
    assert!(!answer.has_succeeded);
    assert_eq!(events[1..], [Event::Ready]);
}

#[test]
fn the_answer_to_poweroff_is_out_before_the_power_is() {
    let mut world = World::single(Settings::default());
    world.serial(0).set_speed(100);
    world.feed(0, b"poweroff\n");
    let has_acted = world.run_until(Duration::from_secs(5), |world| {
        !world.machine(0).power_actions.is_empty()
    });
    assert!(has_acted);
    assert_eq!(world.machine(0).power_actions, [PowerAction::PowerOff]);
    let arrived = world.serial(0).take_arrived();
    assert_eq!(arrived, b"\x05\x02switching off\n\x030");
}
