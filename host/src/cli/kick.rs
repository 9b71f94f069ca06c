//! `exeunt kick`: ends one session.

use std::fmt;
use std::str::FromStr;

use super::Streams;
use super::daemon::Daemon;
use super::refusal::{ExitStatus, Failure, Refusal};
use super::show;
use crate::config::Problem;
use crate::control::Request;

/// A session as an operator names it: `tk3f9a-17`, or `17` for short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionId {
    /// Which run of the daemon it belongs to; nothing is the one that runs.
    incarnation: Option<String>,
    number: u64,
}

impl FromStr for SessionId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write the id that `exeunt who` shows, such as tk3f9a-17, or 17";
        let (incarnation, number) = match text.rsplit_once('-') {
            Some((incarnation, number)) => (Some(incarnation.to_owned()), number),
            None => (None, text),
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits && *number > 0).ok_or(WRONG)?;
        if incarnation.as_deref() == Some("") {
            Err(WRONG)
        } else {
            Ok(Self { incarnation, number })
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(incarnation) = &self.incarnation {
            write!(f, "{}-", show::escape(incarnation))?;
        }
        write!(f, "{}", self.number)
    }
}

pub(super) fn run(
    daemon: &Daemon,
    session: &SessionId,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    if let Some(incarnation) = &session.incarnation {
        // The number alone is what is sent: in another run it is somebody else's.
        let running = daemon.status()?.0.incarnation;
        if let Some(running) = running.filter(|running| running != incarnation) {
            let problem = Problem::new(format!("session {session} is of an earlier daemon"))
                .detail(format!("the ids of the one that runs begin with {running}"))
                .hint("`exeunt who` shows its sessions");
            return Err(Refusal::new(ExitStatus::No, &problem).into());
        }
    }
    daemon.answer(Request::Kick { session: session.number })?;
    streams.say(&format!("session {session} was told to end\n"))
}

#[cfg(test)]
mod tests {
    use super::SessionId;

    #[test]
    fn a_session_is_named_by_its_id_or_its_number() {
        let long: SessionId = "tk3f9a-17".parse().expect("an id");
        assert_eq!((long.incarnation.as_deref(), long.number), (Some("tk3f9a"), 17));
        let short: SessionId = "17".parse().expect("a number");
        assert_eq!((short.incarnation, short.number), (None, 17));
    }

    #[test]
    fn anything_else_is_no_session() {
        for wrong in ["", "-17", "tk3f9a", "tk3f9a-", "0", "+17", "17 ", "99999999999999999999"] {
            assert!(wrong.parse::<SessionId>().is_err(), "{wrong}");
        }
    }
}
