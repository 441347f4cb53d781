//! The configuration: `key=value` words from the command line or `rayos.cfg`.
//!
//! An unknown key or a bad value becomes a problem that boot and `status` show;
//! it never stops anything.

use crate::base::fixed::{Text, Vec};
use crate::base::log::Levels;
use crate::base::service::ServiceSet;
use crate::base::token::{self, Secret, Token};
use crate::limits::{CONFIG_PROBLEMS_MAX, LEASE_ADDRESSES_MAX};
use core::net::{IpAddr, Ipv4Addr};

/// What a panic ends in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnPanic {
    Reboot,
    Halt,
}

/// The keyboard's layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keymap {
    Us,
    De,
    Fr,
}

/// Who is on the other end of the serial line: a person or a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShellMode {
    Interactive,
    Framed,
    FramedJson,
}

/// Where the IPv4 address of the first network port comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressSource {
    Dhcp,
    Fixed { address: Ipv4Addr, prefix: u8 },
    Off,
}

#[derive(Clone, Debug)]
pub struct Config {
    /// The `debug` command may break the kernel on purpose.
    pub is_debug: bool,
    pub on_panic: OnPanic,
    pub keymap: Keymap,
    pub shell: ShellMode,
    pub log_levels: Levels,
    pub ip: AddressSource,
    /// The router to the rest of the world, where the address is a fixed one.
    pub gateway: Option<Ipv4Addr>,
    /// Name servers that are asked before those of a lease.
    pub dns: Vec<IpAddr, LEASE_ADDRESSES_MAX>,
    /// Services for measuring that are offered from the start.
    pub services: ServiceSet,
    /// Who shows it may change something by HTTP; without one nobody may.
    pub token: Option<Token>,
    /// Is a TPM used, if there is one?
    pub is_tpm_used: bool,
    /// What the owner of the TPM proves to know; without it nothing is stored there.
    pub tpm_owner: Option<Secret>,
    pub problems: Vec<Problem, CONFIG_PROBLEMS_MAX>,
    /// Problems beyond those that are kept.
    pub problems_more: u64,
}

/// A word that was not understood, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub word: Text<48>,
    pub reason: &'static str,
}

impl Config {
    pub const fn new() -> Self {
        Self {
            is_debug: false,
            on_panic: OnPanic::Reboot,
            keymap: Keymap::Us,
            shell: ShellMode::Interactive,
            log_levels: Levels::new(),
            ip: AddressSource::Dhcp,
            gateway: None,
            dns: Vec::new(),
            services: ServiceSet::NONE,
            token: None,
            is_tpm_used: true,
            tpm_owner: None,
            problems: Vec::new(),
            problems_more: 0,
        }
    }

    /// Reads words apart by white space; `#` hides the rest of its line.
    pub fn parse(text: &str) -> Self {
        let mut config = Self::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            line.split_whitespace().for_each(|word| config.apply(word));
        }
        config
    }

    fn apply(&mut self, word: &str) {
        let result = match word.split_once('=') {
            Some((key, value)) => self.set(key, value),
            None => Err("not of the form key=value"),
        };
        if let Err(reason) = result {
            let problem = Problem {
                word: match token::is_secret(word) {
                    true => token::redacted(word),
                    false => Text::cut_from(word),
                },
                reason,
            };
            if self.problems.push(problem).is_err() {
                self.problems_more += 1;
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        match key {
            "debug" => self.is_debug = parse_switch(value)?,
            "panic" => self.on_panic = parse_on_panic(value)?,
            "keymap" => self.keymap = parse_keymap(value)?,
            "shell" => self.shell = parse_shell(value)?,
            "services" => self.services = ServiceSet::parse(value)?,
            "log" => self.log_levels = Levels::parse(value)?,
            "ip" => self.ip = parse_address_source(value)?,
            "gateway" => self.gateway = parse_gateway(value)?,
            "dns" => self.dns = parse_name_servers(value)?,
            "token" => self.token = Some(Token::parse(value)?),
            "tpm" => self.is_tpm_used = parse_on(value)?,
            "tpm-owner" => self.tpm_owner = Some(Secret::parse_foreign(value)?),
            _ => return Err("unknown key"),
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

fn parse_switch(value: &str) -> Result<bool, &'static str> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err("the value is 0 or 1"),
    }
}

fn parse_on(value: &str) -> Result<bool, &'static str> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("the value is on or off"),
    }
}

fn parse_on_panic(value: &str) -> Result<OnPanic, &'static str> {
    match value {
        "reboot" => Ok(OnPanic::Reboot),
        "halt" => Ok(OnPanic::Halt),
        _ => Err("the value is reboot or halt"),
    }
}

fn parse_keymap(value: &str) -> Result<Keymap, &'static str> {
    match value {
        "us" => Ok(Keymap::Us),
        "de" => Ok(Keymap::De),
        "fr" => Ok(Keymap::Fr),
        _ => Err("the value is us, de or fr"),
    }
}

fn parse_shell(value: &str) -> Result<ShellMode, &'static str> {
    match value {
        "interactive" => Ok(ShellMode::Interactive),
        "framed" => Ok(ShellMode::Framed),
        "framed-json" => Ok(ShellMode::FramedJson),
        _ => Err("the value is interactive, framed or framed-json"),
    }
}

fn parse_address_source(value: &str) -> Result<AddressSource, &'static str> {
    match value {
        "dhcp" => Ok(AddressSource::Dhcp),
        "off" => Ok(AddressSource::Off),
        _ => parse_fixed(value),
    }
}

fn parse_fixed(value: &str) -> Result<AddressSource, &'static str> {
    let reason = "the value is dhcp, off or an address as 10.0.0.2/24";
    let (address, prefix) = value.split_once('/').ok_or(reason)?;
    let address = address.parse().map_err(|_| reason)?;
    let prefix = prefix.parse().map_err(|_| reason)?;
    match is_station(address) && (1..=32).contains(&prefix) {
        true => Ok(AddressSource::Fixed { address, prefix }),
        false => Err("no station can have this address"),
    }
}

fn parse_gateway(value: &str) -> Result<Option<Ipv4Addr>, &'static str> {
    match value.parse() {
        Ok(address) if is_station(address) => Ok(Some(address)),
        Err(_) if value == "off" => Ok(None),
        _ => Err("the value is off or the address of a router, as 10.0.0.1"),
    }
}

fn parse_name_servers(value: &str) -> Result<Vec<IpAddr, LEASE_ADDRESSES_MAX>, &'static str> {
    let reason = "the value is off or up to 4 addresses of name servers, separated by commas";
    let mut servers = Vec::new();
    if value == "off" {
        return Ok(servers);
    }
    for word in value.split(',') {
        let address = word.parse().map_err(|_| reason)?;
        let is_possible = match address {
            IpAddr::V4(address) => is_station(address),
            IpAddr::V6(address) => !address.is_multicast() && !address.is_unspecified(),
        };
        if !is_possible || servers.push(address).is_err() {
            return Err(reason);
        }
    }
    Ok(servers)
}

/// Could a station have this address, and be asked from another one?
pub const fn is_station(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first != 0 && first != 127 && first < 224
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_kept_and_stops_nothing() {
        let config = Config::parse("debug=1 nonsense panic=halt speed=9 keymap=xx\n# debug=0\n");
        assert!(config.is_debug);
        assert_eq!(config.on_panic, OnPanic::Halt);
        let words: std::vec::Vec<&str> = config
            .problems
            .iter()
            .map(|problem| problem.word.as_str())
            .collect();
        assert_eq!(words, ["nonsense", "speed=9", "keymap=xx"]);
    }

    #[test]
    fn addresses_are_those_that_a_station_can_have() {
        let config = Config::parse("ip=10.0.0.2/24 gateway=10.0.0.1 dns=10.0.0.3,fd00::3");
        let (address, prefix) = (Ipv4Addr::new(10, 0, 0, 2), 24);
        assert_eq!(config.ip, AddressSource::Fixed { address, prefix });
        assert_eq!(config.gateway, Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!((config.dns.len(), config.problems.len()), (2, 0));
        let config = Config::parse("ip=off gateway=off dns=off");
        assert_eq!((config.ip, config.gateway), (AddressSource::Off, None));
        assert_eq!((config.dns.len(), config.problems.len()), (0, 0));
        assert_eq!(Config::parse("ip=off ip=dhcp").ip, AddressSource::Dhcp);
        for word in [
            "ip=10.0.0.2",
            "ip=10.0.0.2/33",
            "ip=10.0.0.2/0",
            "ip=224.0.0.1/24",
            "ip=127.0.0.1/8",
            "ip=no",
            "gateway=255.255.255.255",
            "gateway=",
            "dns=",
            "dns=1.1.1.1,",
            "dns=0.0.0.0",
            "dns=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5",
        ] {
            let config = Config::parse(word);
            assert_eq!(config.problems.len(), 1, "{word}");
            assert_eq!((config.ip, config.gateway), (AddressSource::Dhcp, None));
            assert!(config.dns.is_empty());
        }
    }

    #[test]
    fn a_token_is_kept_and_a_bad_one_is_not_shown() {
        let config = Config::parse("token=0123456789abcdef");
        assert!(
            config
                .token
                .is_some_and(|token| token.is(b"0123456789abcdef"))
        );
        let config = Config::parse("token=tooshor");
        assert_eq!(config.token, None);
        assert_eq!(config.problems[0].word.as_str(), "token=(hidden)");
    }

    #[test]
    fn a_tpm_is_used_unless_it_is_off_and_its_owner_is_not_shown() {
        let config = Config::parse("tpm-owner=hunter2");
        assert!(config.is_tpm_used);
        assert!(config.tpm_owner.is_some_and(|owner| owner.is(b"hunter2")));
        assert!(!Config::parse("tpm=off").is_tpm_used);
        let config = Config::parse("tpm=no tpm-owner=");
        assert!(config.is_tpm_used && config.tpm_owner.is_none());
        assert_eq!(config.problems[0].word.as_str(), "tpm=no");
        assert_eq!(config.problems[1].word.as_str(), "tpm-owner=(hidden)");
    }

    #[test]
    fn problems_beyond_the_list_are_counted() {
        let config = Config::parse("a b c d e f g h i j");
        assert_eq!(
            (config.problems.len(), config.problems_more),
            (CONFIG_PROBLEMS_MAX, 2)
        );
    }
}
