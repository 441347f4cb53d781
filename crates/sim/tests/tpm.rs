//! The simulated TPM: the kernel's own client finds in it what a TPM has.

use rayos_kernel::base::digest::sha256;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::base::token::Secret;
use rayos_kernel::base::tpm::TpmFault;
use rayos_kernel::drivers::tpm::client::{Answer, Client, ClientState, Job, Nonce, TpmError};
use rayos_kernel::drivers::tpm::codec::bank::BankDigests;
use rayos_sim::{SimTpm, TpmSettings};

const INDEX: u32 = 0x0180_5250;

struct Rig {
    client: Client,
    tpm: SimTpm,
    now: Instant,
}

impl Rig {
    fn new(settings: TpmSettings) -> Self {
        Self {
            client: Client::new([3; 32]),
            tpm: SimTpm::new(settings, 1),
            now: Instant::ZERO,
        }
    }

    fn ask(&mut self, job: Job) -> Result<Answer, TpmError> {
        let id = self.client.request(job).unwrap();
        for _ in 0..1000 {
            self.client.step(self.now, Some(&mut self.tpm));
            if let Some((done, result)) = self.client.take_done() {
                assert_eq!(done, id);
                return result;
            }
            let next = self.client.next_deadline(self.now).expect("a deadline");
            self.now = next.max(self.now + Duration::from_nanos(1));
        }
        panic!("a job that is never answered");
    }

    fn extend(&mut self, pcr: u32, data: &[u8]) -> Result<Answer, TpmError> {
        let digests = BankDigests {
            sha256: Some(sha256(&[data])),
            ..BankDigests::default()
        };
        self.ask(Job::Extend { pcr, digests })
    }

    fn store(&mut self, owner: &str, data: u8) -> Result<Answer, TpmError> {
        self.ask(Job::NvStore {
            index: INDEX,
            owner: Secret::parse_foreign(owner).ok(),
            data: [data; 256],
        })
    }
}

fn owned_by(owner: &str) -> TpmSettings {
    TpmSettings {
        owner: owner.to_string(),
        ..TpmSettings::default()
    }
}

#[test]
fn what_is_extended_is_read_and_is_gone_without_power() {
    let mut rig = Rig::new(TpmSettings::default());
    assert_eq!(rig.extend(8, b"kernel"), Ok(Answer::Extended));
    let expected = sha256(&[&[0; 32], &sha256(&[b"kernel"])]);
    let Ok(Answer::Pcrs(report)) = rig.ask(Job::ReadPcrs) else {
        panic!("no PCRs");
    };
    assert_eq!((report.values[8], report.values[9]), (expected, [0; 32]));
    assert_eq!(rig.tpm.pcr(8), Some(expected));
    let view = rig.client.view();
    assert_eq!(view.identity.manufacturer.as_str(), "SIM");
    assert_eq!(view.identity.vendor.as_str(), "simulated");
    assert_eq!(view.facts.unwrap().interface, "simulated");
    rig.tpm.restart();
    // Nobody may go on with PCRs that say nothing any more.
    assert!(rig.ask(Job::ReadPcrs).is_err());
    assert!(matches!(rig.client.view().state, ClientState::Failed(_)));
}

#[test]
fn only_the_owner_stores_and_what_is_stored_stays() {
    let mut rig = Rig::new(owned_by("hunter2"));
    let load = Job::NvLoad { index: INDEX };
    let missing = Err(TpmError::NotStored { index: INDEX });
    assert_eq!(rig.ask(load.clone()), missing);
    for wrong in ["", "hunter3"] {
        assert!(matches!(rig.store(wrong, 1), Err(TpmError::Refused { .. })));
    }
    assert_eq!(rig.ask(load.clone()), missing);
    assert_eq!(
        rig.store("hunter2", 1),
        Ok(Answer::NvStored { is_new: true })
    );
    assert_eq!(
        rig.store("hunter2", 2),
        Ok(Answer::NvStored { is_new: false })
    );
    rig.tpm.restart();
    rig.client = Client::new([4; 32]);
    let Ok(Answer::NvLoaded(bytes)) = rig.ask(load.clone()) else {
        panic!("nothing loaded");
    };
    assert_eq!(&bytes[..], &[2; 256]);
    // More often than sessions fit: none is left open, also by what was refused.
    for _ in 0..10 {
        assert!(rig.store("hunter3", 3).is_err());
        assert!(rig.store("hunter2", 3).is_ok());
    }
    let owner = Secret::parse_foreign("hunter2").ok();
    let remove = Job::NvRemove {
        index: INDEX,
        owner,
    };
    assert_eq!(rig.ask(remove), Ok(Answer::NvRemoved));
    assert_eq!(rig.ask(load), missing);
}

#[test]
fn it_does_not_pretend_to_quote() {
    let mut rig = Rig::new(TpmSettings::default());
    let refused = rig.ask(Job::Quote {
        nonce: Nonce::new(),
    });
    let sentence = refused.unwrap_err().to_string();
    assert_eq!(
        sentence,
        "CreatePrimary: the TPM does not know this command (code 0x143)"
    );
    assert_eq!(rig.client.view().state, ClientState::Ready);
}

#[test]
fn it_fails_and_stalls_from_the_command_that_it_is_told() {
    for from in 1..12 {
        let mut rig = Rig::new(TpmSettings {
            fails_from: Some(from),
            ..TpmSettings::default()
        });
        let results: Vec<_> = (0..12).map(|_| rig.ask(Job::Random { bytes: 8 })).collect();
        assert!(results.last().unwrap().is_err(), "{from}");
        assert!(matches!(rig.client.view().state, ClientState::Failed(_)));
        // Four commands are its start.
        let good = results.iter().filter(|result| result.is_ok()).count() as u64;
        assert_eq!(good, from.saturating_sub(5));
    }
    let mut rig = Rig::new(TpmSettings {
        stalls_from: Some(6),
        ..TpmSettings::default()
    });
    assert!(rig.ask(Job::Random { bytes: 8 }).is_ok());
    let before = rig.now;
    let stalled = rig.ask(Job::Random { bytes: 8 });
    let waited_for = "answer";
    assert_eq!(
        stalled,
        Err(TpmError::Fault(TpmFault::TimedOut { waited_for }))
    );
    assert!(rig.now.since(before) >= Duration::from_millis(5000));
    rig.tpm.settings_mut().stalls_from = None;
    assert!(rig.ask(Job::Random { bytes: 8 }).is_ok());
}
