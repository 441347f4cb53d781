//! The services for measuring, by name and port, and sets of them.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    Echo,
    Discard,
    Chargen,
}

impl Service {
    pub const ALL: [Self; 3] = [Self::Echo, Self::Discard, Self::Chargen];

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Discard => "discard",
            Self::Chargen => "chargen",
        }
    }

    pub const fn port(self) -> u16 {
        match self {
            Self::Echo => 7,
            Self::Discard => 9,
            Self::Chargen => 19,
        }
    }
}

/// Which services are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ServiceSet([bool; Service::ALL.len()]);

impl ServiceSet {
    pub const NONE: Self = Self([false; Service::ALL.len()]);

    pub const fn has(self, service: Service) -> bool {
        self.0[service as usize]
    }

    pub const fn with(mut self, service: Service, is_wanted: bool) -> Self {
        self.0[service as usize] = is_wanted;
        self
    }

    /// Names between commas.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut set = Self::NONE;
        for name in text.split(',') {
            let service = Service::of(name);
            let service =
                service.ok_or("the value is echo, discard, chargen, or several of them")?;
            set = set.with(service, true);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_is_a_set() {
        let set = ServiceSet::parse("chargen,echo").unwrap();
        assert!(set.has(Service::Echo) && set.has(Service::Chargen) && !set.has(Service::Discard));
        for text in ["", "echo,", "daytime", "echo discard"] {
            assert!(ServiceSet::parse(text).is_err(), "{text}");
        }
    }
}
