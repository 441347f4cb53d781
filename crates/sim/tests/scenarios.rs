//! Every file of `tests/scenarios`, simulated; RAYOS_REWRITE=1 rewrites them.

use rayos_sim::scenario::{Only, Scenario, SimTarget};
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_scenario_gets_its_answers() {
    let is_rewrite = std::env::var_os("RAYOS_REWRITE").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    let files = files();
    assert!(!files.is_empty());
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario = match Scenario::parse(&name, &text) {
            Ok(scenario) => scenario,
            Err(reason) => {
                failures.push(reason);
                continue;
            }
        };
        if scenario.only == Some(Only::Qemu) {
            continue;
        }
        let outcome = scenario.run(&mut SimTarget::for_scenario(&scenario));
        if is_rewrite && outcome.rewritten != text {
            std::fs::write(&path, outcome.rewritten).unwrap();
        } else {
            failures.extend(outcome.failures);
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
