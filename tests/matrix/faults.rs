//! What the faulty listener does, and what is to become of it. How it does that is the business of the
//! module `misbehave`.

use super::cells::Identity;

/// What the listener does when it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Error,
    Panic,
    NullWrite,
    WildJump,
    StackOverflow,
    Spin,
    SleepBlocked,
    Sigstop,
    Exit,
    ExitNow,
    Execve,
    ForkHolding,
    CloseAll,
    TamperPage,
    TamperProcess,
    TamperIdentity,
}

impl Fault {
    pub(super) const ALL: [Self; 17] = [
        Self::None,
        Self::Error,
        Self::Panic,
        Self::NullWrite,
        Self::WildJump,
        Self::StackOverflow,
        Self::Spin,
        Self::SleepBlocked,
        Self::Sigstop,
        Self::Exit,
        Self::ExitNow,
        Self::Execve,
        Self::ForkHolding,
        Self::CloseAll,
        Self::TamperPage,
        Self::TamperProcess,
        Self::TamperIdentity,
    ];

    /// Its name here and in the settings of `misbehave`.
    pub(super) fn how(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::NullWrite => "null-write",
            Self::WildJump => "wild-jump",
            Self::StackOverflow => "stack-overflow",
            Self::Spin => "spin",
            Self::SleepBlocked => "sleep-blocked",
            Self::Sigstop => "sigstop",
            Self::Exit => "exit",
            Self::ExitNow => "exit-now",
            Self::Execve => "execve",
            Self::ForkHolding => "fork-holding",
            Self::CloseAll => "close-all",
            Self::TamperPage => "tamper-page",
            Self::TamperProcess => "tamper-process",
            Self::TamperIdentity => "tamper-identity",
        }
    }

    /// The outcome of the listener. There is none for a session that lies about its own slot: of that
    /// only the other sessions are promised something.
    pub(super) fn outcome(self, identity: Identity) -> Option<&'static str> {
        Some(match self {
            // Without root nobody can become somebody else.
            Self::TamperIdentity if identity == Identity::Nobody => "done",
            Self::None | Self::ForkHolding => "done",
            Self::Spin | Self::SleepBlocked | Self::Sigstop => "timed-out",
            Self::TamperPage => return None,
            _ => "failed",
        })
    }
}
