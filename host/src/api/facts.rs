//! Facts: what a callback may know about its session, read from the ledger, so that a session and a
//! runner after its death give the same answers.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use exeunt_api::abi::{Fact, Handle, Str, status};
use exeunt_ledger::{Chain, Identity, ModuleCell, State};

use super::{Living, Matter, frames};
use crate::cause::Cause;
use crate::events::Plan;
use crate::generation::Generation;

/// What does not change about a session.
pub(crate) struct About {
    /// The session's id.
    pub(crate) id: String,
    pub(crate) peer: String,
    pub(crate) local: String,
    pub(crate) listen: String,
    pub(crate) protocol: String,
    /// The index of the listen among those of its protocol.
    pub(crate) listen_index: u32,
}

/// A session as callbacks see it, alive or dead.
pub(crate) struct Subject {
    pub(crate) plan: &'static Plan,
    pub(crate) about: About,
    pub(crate) identity: &'static Identity,
    /// The page that this process works on.
    pub(crate) state: &'static State,
    /// The session itself, in its own process.
    pub(crate) living: Cell<Option<&'static dyn Living>>,
}

impl Subject {
    /// The session whose pages these are.
    pub(crate) fn new(
        generation: &'static Generation,
        identity: &'static Identity,
        state: &'static State,
    ) -> Self {
        // The listen was written by the zygote, from its own list.
        let listen = &generation.listens[identity.listen.load(Relaxed) as usize];
        let about = About {
            id: generation.session_id(identity.session.load(Relaxed)),
            peer: identity.peer.get(),
            local: identity.local.get(),
            listen: listen.name.clone(),
            protocol: listen.protocol.clone(),
            listen_index: listen.index,
        };
        Self { plan: &generation.plan, about, identity, state, living: Cell::new(None) }
    }

    /// The chain of the session's end, to look at.
    fn chain(&self) -> Chain<'static> {
        Chain::new(self.state, &[], 0)
    }

    /// The cause of the end, once committed.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.chain().cause().and_then(Cause::from_number)
    }

    /// Who has logged in.
    pub(crate) fn user(&self) -> Option<String> {
        (self.state.logged_in.load(Relaxed) != 0).then(|| self.state.user.get())
    }

    fn text(&'static self, fact: Fact) -> Option<Text> {
        let some = |text: String| Some(text).filter(|t| !t.is_empty()).map(Text::New);
        match fact {
            Fact::Session => Some(Text::Kept(&self.about.id)),
            Fact::Peer => Some(Text::Kept(&self.about.peer)),
            Fact::Local => Some(Text::Kept(&self.about.local)),
            Fact::Listen => Some(Text::Kept(&self.about.listen)),
            Fact::Protocol => Some(Text::Kept(&self.about.protocol)),
            Fact::Cause => self.cause().map(|cause| Text::Kept(cause.name())),
            Fact::User => self.user().and_then(some),
            Fact::Command => some(self.state.command.get()),
            Fact::Path => some(self.state.path.get()),
            Fact::Detail => some(self.state.detail.get()),
            _ => None,
        }
    }

    fn number(&self, fact: Fact) -> Option<u64> {
        match fact {
            Fact::BytesIn => Some(self.state.bytes_in.load(Relaxed)),
            Fact::BytesOut => Some(self.state.bytes_out.load(Relaxed)),
            Fact::Started => Some(self.identity.started.load(Relaxed)),
            Fact::Ended => self.cause().map(|_| self.state.ended.load(Relaxed)),
            Fact::Live => Some(u64::from(self.living.get().is_some())),
            Fact::ListenIndex => Some(u64::from(self.about.listen_index)),
            _ => None,
        }
    }

    /// The cell of the module whose code runs.
    fn cell(&self) -> Result<&'static ModuleCell, i32> {
        let module = self.plan.modules.get(frames::module()?).ok_or(status::BAD_PHASE)?;
        module.cell.and_then(|cell| self.state.modules.get(cell)).ok_or(status::NONE)
    }
}

impl Matter {
    fn text(&self, fact: Fact) -> Option<String> {
        match (self, fact) {
            (Self::Command(command), Fact::Verb) => Some(command.verb.clone()),
            (Self::Command(command), Fact::Argument) => command.argument.clone(),
            (Self::Command(command), Fact::Reply) => command.told.borrow().as_ref()?.1.clone(),
            (Self::Credentials(claim), Fact::Claimed) => Some(claim.user.clone()),
            (Self::Credentials(claim), Fact::Secret) => Some(claim.secret.clone()),
            _ => None,
        }
    }

    fn number(&self, fact: Fact) -> Option<i64> {
        match (self, fact) {
            (Self::Command(command), Fact::Class) => Some(command.class.into()),
            (Self::Command(command), Fact::Outcome) => {
                Some(command.told.borrow().as_ref()?.0.into())
            }
            _ => None,
        }
    }
}

enum Text {
    /// The subject keeps it.
    Kept(&'static str),
    /// The callback's frame has to.
    New(String),
}

fn subject(handle: Handle) -> Result<&'static Subject, i32> {
    frames::seen(handle)?.subject.ok_or(status::NONE)
}

pub(super) fn fact_str(handle: Handle, fact: u32) -> Result<Str, i32> {
    let fact = Fact::from_number(fact).ok_or(status::BAD_ARGUMENT)?;
    if fact == Fact::Event {
        return frames::keep(frames::event(handle)?);
    }
    if fact == Fact::Token {
        return frames::keep(frames::token(handle)?);
    }
    if matches!(fact, Fact::Verb | Fact::Argument | Fact::Reply | Fact::Claimed | Fact::Secret) {
        let text = frames::seen(handle)?.matter.and_then(|matter| matter.text(fact));
        return frames::keep(text.ok_or(status::NONE)?);
    }
    match subject(handle)?.text(fact).ok_or(status::NONE)? {
        Text::Kept(text) => Ok(Str::new(text)),
        Text::New(text) => frames::keep(text),
    }
}

pub(super) fn fact_int(handle: Handle, fact: u32) -> Result<i64, i32> {
    let fact = Fact::from_number(fact).ok_or(status::BAD_ARGUMENT)?;
    if fact == Fact::Attempt {
        return Ok(frames::seen(handle)?.attempt.into());
    }
    if fact == Fact::EventVersion {
        let event = subject(handle)?.plan.event(&frames::event(handle)?);
        let of_module = event.filter(|event| event.owner.is_some());
        return of_module.map(|event| event.version.into()).ok_or(status::NONE);
    }
    if matches!(fact, Fact::Class | Fact::Outcome) {
        let number = frames::seen(handle)?.matter.and_then(|matter| matter.number(fact));
        return number.ok_or(status::NONE);
    }
    let number = subject(handle)?.number(fact).ok_or(status::NONE)?;
    i64::try_from(number).map_err(|_| status::TOO_BIG)
}

pub(super) fn state_read(handle: Handle, to: &mut [u8]) -> Result<usize, i32> {
    Ok(subject(handle)?.cell()?.read(to))
}

pub(super) fn state_write(handle: Handle, bytes: &[u8]) -> Result<(), i32> {
    subject(handle)?.cell()?.write(bytes).then_some(()).ok_or(status::TOO_BIG)
}
