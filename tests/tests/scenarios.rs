//! Do the scenario files, which pass on a simulated machine, pass on a real kernel too?

use rayos_sim::scenario::{Only, Scenario};
use rayos_tests::form;
use rayos_tests::scenario::{MachineTarget, files};

#[test]
fn every_scenario_gets_its_answers_from_a_real_kernel() {
    let mut failures = Vec::new();
    let mut run_count = 0;
    for path in files().unwrap() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario = Scenario::parse(&name, &text).unwrap();
        if scenario.only == Some(Only::Sim) {
            form::say_skipped(&format!("{name}: it is marked # only: sim"));
            continue;
        }
        run_count += 1;
        match MachineTarget::for_scenario(&scenario) {
            Ok(mut target) => failures.extend(scenario.run(&mut target).failures),
            Err(error) => failures.push(format!("{name}: {error:#}")),
        }
    }
    assert!(run_count > 0, "there is no scenario for a real kernel");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
