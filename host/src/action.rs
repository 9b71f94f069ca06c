//! The process of one call of a control action: a fork of the zygote that gives up its privileges
//! before it looks at what the client wants, and answers it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use exeunt_api::abi::status;
use nix::sys::prctl;
use nix::unistd::{Pid, setpgid};

use crate::api::{self, Entry, Given, Outcome};
use crate::config::{Kind, Node};
use crate::control::{self, Reply};
use crate::deadline::Deadline;
use crate::events::{Listener, Plan};
use crate::generation::Generation;
use crate::{clock, log, modules, privileges, sys};

/// What is called, and by whom.
pub(crate) struct Call {
    /// The words of the call, a file in memory.
    pub(crate) words: OwnedFd,
    pub(crate) client: UnixStream,
    pub(crate) life: RawFd,
}

/// Calls the action, answers, and ends this process.
pub(crate) fn run(generation: &'static Generation, call: Call) -> ! {
    log::set_role("action");
    let Call { words, client, life } = call;
    let keep = [words.as_raw_fd(), client.as_raw_fd(), life];
    let mut deadline = match prepare(generation, &keep) {
        Ok(deadline) => deadline,
        Err(why) => {
            log::error(format!("a control action cannot be prepared: {why}"));
            sys::leave(1)
        }
    };
    // Until it is known which listener's time it has.
    let until = clock::after(clock::now(), generation.config.exit.listener);
    let reply =
        match deadline.arm(until).map_err(io::Error::from).and_then(|()| control::words(words)) {
            Ok(words) => answer(&generation.plan, words, &mut deadline),
            Err(e) => Reply::refused(format!("the words of the call cannot be read: {e}")),
        };
    // The supervisor reads without waiting; this process may wait, under its deadline.
    let _waits_not = client.set_nonblocking(false);
    reply.send(&client);
    sys::leave(0)
}

fn prepare(generation: &Generation, keep: &[RawFd]) -> io::Result<Deadline> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    prctl::set_name(c"exeunt-action")?;
    let deadline = Deadline::new()?;
    privileges::give_up(generation.account.as_ref())?;
    generation.confinement.enter()?;
    generation.part_from_the_zygote(keep)?;
    Ok(deadline)
}

fn answer(plan: &'static Plan, words: Vec<String>, deadline: &mut Deadline) -> Reply {
    let mut words = words.into_iter();
    let (module, action) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = match find(plan, &module, &action) {
        Ok(found) => found,
        Err(why) => return Reply::refused(why),
    };
    let until = clock::after(clock::now(), plan.modules[found.module].listener);
    if let Err(e) = deadline.arm(until) {
        return Reply::refused(format!("there is no deadline for it: {e}"));
    }
    let text = |word| Node { span: 0..0, kind: Kind::Str(word) };
    let arguments = Node { span: 0..0, kind: Kind::List(words.map(text).collect()) };
    let payload = api::lend(&Rc::new(arguments));
    let entry = Entry { payload, ..Entry::of(plan, found.module, "control") };
    let (outcome, given) = api::ask(entry, |about| modules::call(&found.callback, about));
    match outcome {
        Outcome::Done => reply(given),
        Outcome::Ending => Reply::refused("it speaks of a session, and there is none"),
        Outcome::Failed(why) | Outcome::Denied(why) => Reply::refused(why),
    }
}

fn find<'a>(plan: &'a Plan, module: &str, action: &str) -> Result<&'a Listener, String> {
    let Some(index) = plan.modules.iter().position(|one| one.name == module) else {
        return Err(format!("no enabled module is called `{module}`"));
    };
    let own = || plan.extras.controls.iter().filter(|control| control.module == index);
    own().find(|control| control.name == action).ok_or_else(|| {
        let names: Vec<_> = own().map(|control| format!("`{}`", control.name)).collect();
        match &names[..] {
            [] => format!("module `{module}` has no control actions"),
            _ => format!(
                "module `{module}` has no control action `{action}`; it has {}",
                names.join(", ")
            ),
        }
    })
}

/// Text as it is, anything else as JSON.
fn reply(given: Option<Given>) -> Reply {
    match given {
        Some((status::OK, Some(Node { kind: Kind::Str(text), .. }))) => Reply::done(text),
        Some((status::OK, Some(value))) => Reply::done(api::json(&value).to_string()),
        _ => Reply::done(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_text_or_json() {
        let node = |kind| Node { span: 0..0, kind };
        let of = |kind| reply(Some((status::OK, Some(node(kind))))).text;
        assert_eq!(of(Kind::Str("all \"is\" well".to_owned())), "all \"is\" well");
        let list = vec![node(Kind::Null), node(Kind::Int(3)), node(Kind::Bytes(b"a\xff".to_vec()))];
        assert_eq!(of(Kind::List(list)), r#"[null,3,[97,255]]"#);
        assert_eq!(reply(None), Reply::done(""));
    }
}
