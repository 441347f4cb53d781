//! What a request may do: by its token, or by where it comes from.

use super::offenders::Offenders;
use super::trust::Trust;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::base::token::Token;
use core::net::IpAddr;

/// Why a request is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denied {
    /// The kernel was booted without a token, so nobody can show one.
    NoToken,
    Missing,
    Wrong,
    /// Too many wrong tokens came from there.
    ShutOut(Duration),
}

/// What a request wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    Look,
    Change,
}

/// Judges requests by what they want: to look, or to change something.
pub struct Credentials {
    token: Option<Token>,
    pub trust: Trust,
    offenders: Offenders,
}

impl Credentials {
    pub fn new(token: Option<Token>) -> Self {
        Self {
            token,
            trust: Trust::default(),
            offenders: Offenders::default(),
        }
    }

    pub fn judge(
        &mut self,
        now: Instant,
        peer: IpAddr,
        authorization: Option<&[u8]>,
        wanted: Wanted,
    ) -> Result<Subject, Denied> {
        let is_enough = wanted == Wanted::Look && self.trust.contains(peer);
        if is_enough && authorization.is_none() {
            return Ok(Subject::Visitor);
        }
        let Some(token) = &self.token else {
            return match is_enough {
                true => Ok(Subject::Visitor),
                false => Err(Denied::NoToken),
            };
        };
        // Before the token is looked at, or guessing would go on.
        if let Some(rest) = self.offenders.is_shut_out(peer, now) {
            return Err(Denied::ShutOut(rest));
        }
        let shown = authorization.ok_or(Denied::Missing)?;
        if bearer(shown).is_some_and(|shown| token.is(shown)) {
            return Ok(Subject::Api);
        }
        self.offenders.on_wrong(peer, now);
        Err(Denied::Wrong)
    }

    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    pub const fn offenders(&self) -> &Offenders {
        &self.offenders
    }
}

/// The token of `Bearer TOKEN` (RFC 6750, 2.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::Wanted::{Change, Look};
    use super::*;
    use core::net::Ipv4Addr;

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const GOOD: &[u8] = b"Bearer correct-horse";
    const BAD: &[u8] = b"Bearer wrong-horse";

    fn credentials(token: &str) -> Credentials {
        let mut credentials = Credentials::new(Token::parse(token).ok());
        credentials.trust.add(HOST);
        credentials
    }

    #[test]
    fn looking_needs_a_token_only_from_afar_and_changing_always() {
        let mut credentials = credentials("correct-horse");
        let mut judge = |peer, shown, wanted| credentials.judge(Instant::ZERO, peer, shown, wanted);
        assert_eq!(judge(HOST, None, Look), Ok(Subject::Visitor));
        assert_eq!(judge(HOST, None, Change), Err(Denied::Missing));
        assert_eq!(judge(OTHER, None, Look), Err(Denied::Missing));
        for peer in [HOST, OTHER] {
            for wanted in [Look, Change] {
                assert_eq!(judge(peer, Some(GOOD), wanted), Ok(Subject::Api));
                assert_eq!(judge(peer, Some(BAD), wanted), Err(Denied::Wrong));
            }
        }
        assert_eq!(
            judge(HOST, Some(b"bearer  correct-horse "), Change),
            Ok(Subject::Api)
        );
        assert_eq!(judge(HOST, Some(b"Basic abc"), Change), Err(Denied::Wrong));
    }

    #[test]
    fn without_a_token_nobody_changes_anything() {
        let mut credentials = credentials("");
        let mut judge = |peer, shown, wanted| credentials.judge(Instant::ZERO, peer, shown, wanted);
        assert_eq!(judge(HOST, None, Look), Ok(Subject::Visitor));
        assert_eq!(judge(HOST, Some(GOOD), Look), Ok(Subject::Visitor));
        assert_eq!(judge(HOST, Some(GOOD), Change), Err(Denied::NoToken));
        assert_eq!(judge(OTHER, None, Look), Err(Denied::NoToken));
    }

    #[test]
    fn who_guesses_is_not_listened_to_even_when_he_is_right() {
        let mut credentials = credentials("correct-horse");
        for _ in 0..5 {
            let result = credentials.judge(Instant::ZERO, OTHER, Some(BAD), Change);
            assert_eq!(result, Err(Denied::Wrong));
        }
        let result = credentials.judge(Instant::ZERO, OTHER, Some(GOOD), Change);
        assert_eq!(result, Err(Denied::ShutOut(Duration::from_secs(60))));
        assert_eq!(
            credentials.judge(Instant::ZERO, HOST, Some(GOOD), Change),
            Ok(Subject::Api)
        );
        // Looking without a token shows none that could be guessed.
        let looked = credentials.judge(Instant::ZERO, HOST, None, Look);
        assert_eq!(looked, Ok(Subject::Visitor));
    }
}
