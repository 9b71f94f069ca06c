//! The table itself: each function of the interface, and the part that answers it.

use std::rc::Rc;
use std::time::Duration;

use exeunt_api::abi::{
    Answer, Begun, Bytes, Callback, Handle, Level, Offer, Phase, Place, ProtocolTable, Str,
    Transferring, Waiting, status,
};

use super::values::ValueStore;
use super::{
    Command, Credentials, Ending, Living, Refused, WaitError, facts, frames, init, values,
};
use crate::cause::Cause;
use crate::events::{Pattern, Wish, is_verb};
use crate::{config, counters, log};

/// The host's functions.
pub(super) struct HostFunctions;

impl From<Ending> for i32 {
    fn from(_: Ending) -> Self {
        status::ENDING
    }
}

impl From<Refused> for i32 {
    fn from(why: Refused) -> Self {
        match why {
            Refused::Rejected => status::DENIED,
            Refused::Ending => status::ENDING,
            Refused::NotNow => status::BAD_PHASE,
        }
    }
}

impl From<WaitError> for i32 {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Ending => status::ENDING,
            WaitError::Bad => status::BAD_ARGUMENT,
        }
    }
}

/// The living session that a handle names.
fn living(session: Handle) -> Answer<&'static dyn Living> {
    let subject = frames::seen(session)?.subject.ok_or(status::BAD_HANDLE)?;
    subject.living.get().ok_or(status::BAD_PHASE)
}

impl Offer for HostFunctions {
    fn log(level: u32, text: &str) -> Answer<()> {
        let level = match Level::from_number(level).ok_or(status::BAD_ARGUMENT)? {
            Level::Error => config::Level::Error,
            Level::Warn => config::Level::Warn,
            Level::Info => config::Level::Info,
            Level::Debug => config::Level::Debug,
        };
        let (module, session) = frames::inside().unwrap_or_default();
        log::line(level, &session, &module, text);
        Ok(())
    }

    fn fail(text: &str) -> Answer<()> {
        frames::fail(text)
    }

    fn fail_at(value: Handle, text: &str, hint: Option<&str>) -> Answer<()> {
        init::fail_at(value, text, hint)
    }

    fn value_kind(value: Handle) -> Answer<i32> {
        values::kind(value)
    }

    fn value_bool(value: Handle) -> Answer<bool> {
        values::bool(value)
    }

    fn value_int(value: Handle) -> Answer<i64> {
        values::int(value)
    }

    fn value_float(value: Handle) -> Answer<f64> {
        values::float(value)
    }

    fn value_str(value: Handle) -> Answer<Str> {
        values::str(value)
    }

    fn value_bytes(value: Handle) -> Answer<Bytes> {
        values::bytes(value)
    }

    fn value_len(value: Handle) -> Answer<usize> {
        values::len(value)
    }

    fn value_at(value: Handle, index: usize) -> Option<Handle> {
        values::at(value, index)
    }

    fn value_key(value: Handle, index: usize) -> Answer<Str> {
        values::key(value, index)
    }

    fn value_get(value: Handle, key: &str) -> Option<Handle> {
        values::get(value, key)
    }

    fn value_new(kind: i32, int: i64, float: f64, bytes: Option<&[u8]>) -> Option<Handle> {
        values::new(kind, int, float, bytes)
    }

    fn value_push(list: Handle, entry: Handle) -> Answer<()> {
        values::push(list, entry)
    }

    fn value_put(table: Handle, key: &str, entry: Handle) -> Answer<()> {
        values::put(table, key, entry)
    }

    fn settings(registrar: Handle) -> Option<Handle> {
        init::settings(registrar)
    }

    fn register_listener(
        registrar: Handle,
        event: &str,
        name: &str,
        callback: Callback,
    ) -> Answer<()> {
        init::listener(registrar, event, name, Wish::NONE, callback)
    }

    fn register_protocol(
        registrar: Handle,
        name: &str,
        table: Option<ProtocolTable>,
        refusal: Option<&str>,
    ) -> Answer<()> {
        init::protocol(registrar, name, table, refusal)
    }

    fn listen_settings(registrar: Handle, protocol: &str, index: u32) -> Option<Handle> {
        init::listen_settings(registrar, protocol, index)
    }

    fn declare_event(registrar: Handle, name: &str, version: u32) -> Answer<()> {
        init::declare_event(registrar, name, version)
    }

    fn register_state(registrar: Handle, size: u32) -> Answer<()> {
        init::state(registrar, size)
    }

    fn open_directory(registrar: Handle, path: &str) -> Answer<i32> {
        init::open_directory(registrar, path)
    }

    fn fact_str(subject: Handle, fact: u32) -> Answer<Str> {
        facts::fact_str(subject, fact)
    }

    fn fact_int(subject: Handle, fact: u32) -> Answer<i64> {
        facts::fact_int(subject, fact)
    }

    fn payload(subject: Handle) -> Option<Handle> {
        frames::seen(subject).ok()?.payload
    }

    fn living(subject: Handle) -> Option<Handle> {
        frames::living(subject)
    }

    fn state_read(subject: Handle, to: &mut [u8]) -> Answer<usize> {
        facts::state_read(subject, to)
    }

    fn state_write(subject: Handle, bytes: &[u8]) -> Answer<()> {
        facts::state_write(subject, bytes)
    }

    fn session_wait(session: Handle, on: &mut [Waiting], millis: i64) -> Answer<usize> {
        Ok(living(session)?.wait(on, millis)?)
    }

    fn session_connection(session: Handle) -> Answer<i32> {
        Ok(living(session)?.connection())
    }

    fn session_count(session: Handle, received: u64, sent: u64) -> Answer<()> {
        living(session)?.count(received, sent);
        Ok(())
    }

    fn session_transfer(session: Handle, state: u32) -> Answer<()> {
        let moving = match state {
            Transferring::NOTHING => false,
            Transferring::MOVING => true,
            _ => return Err(status::BAD_ARGUMENT),
        };
        living(session)?.transfer(moving);
        Ok(())
    }

    fn session_command(session: Handle, command: &str, path: Option<&str>) -> Answer<()> {
        living(session)?.command(command, path);
        Ok(())
    }

    fn session_login(session: Handle, user: &str) -> Answer<()> {
        Ok(living(session)?.log_in(user)?)
    }

    fn session_login_failed(session: Handle, user: &str) -> Answer<u32> {
        Ok(living(session)?.login_failed(user)?)
    }

    fn session_end(session: Handle, cause: &str, detail: Option<&str>) -> Answer<()> {
        let cause = Cause::from_name(cause).filter(|cause| cause.is_for_modules());
        living(session)?.end(cause.ok_or(status::BAD_ARGUMENT)?, detail);
        Err(status::ENDING)
    }

    fn generate(session: Handle, event: &str, payload: Option<Handle>) -> Answer<()> {
        let subject = frames::seen(session)?.subject.ok_or(status::BAD_HANDLE)?;
        let event = subject.plan.event(event).ok_or(status::NONE)?;
        if event.owner != Some(frames::module()?) {
            frames::fail(&format!("the event `{}` belongs to another module", event.name))?;
            return Err(status::BAD_ARGUMENT);
        }
        living(session)?.generate(event, payload);
        if let Some(payload) = payload {
            ValueStore::forget(payload);
        }
        Ok(())
    }

    fn farewell(ended: Handle, bytes: &[u8]) -> Answer<()> {
        let seen = frames::seen(ended)?;
        if !seen.farewell {
            return Err(status::BAD_PHASE);
        }
        living(ended)?.farewell(bytes);
        Ok(())
    }

    fn register_counter(registrar: Handle, name: &str, labels: &[&str]) -> Answer<i32> {
        init::counter(registrar, name, labels)
    }

    fn counter_add(counter: u32, values: &[&str], amount: u64) -> Answer<()> {
        let counted = counters::add(frames::module()?, counter, values, amount);
        counted.then_some(()).ok_or(status::BAD_PHASE)
    }

    fn register_timer(registrar: Handle, name: &str, callback: Callback) -> Answer<()> {
        init::timer(registrar, name, callback)
    }

    fn timer_set(session: Handle, name: &str, millis: i64) -> Answer<()> {
        let subject = frames::seen(session)?.subject.ok_or(status::BAD_HANDLE)?;
        let timer = subject.plan.extras.timer(frames::module()?, name).ok_or(status::NONE)?;
        let time = u64::try_from(millis).ok().map(Duration::from_millis);
        living(session)?.set_timer(timer, time);
        Ok(())
    }

    fn register_hook(
        registrar: Handle,
        phase: u32,
        verb: Option<&str>,
        classes: u32,
        name: &str,
        callback: Callback,
    ) -> Answer<()> {
        let phase = Phase::from_number(phase).ok_or(status::BAD_ARGUMENT)?;
        let verb = verb.map(str::to_owned);
        init::hook(registrar, phase, Pattern { verb, classes }, name, callback)
    }

    fn register_command(registrar: Handle, verb: &str, callback: Callback) -> Answer<()> {
        init::command(registrar, verb, callback)
    }

    fn command_begin(
        session: Handle,
        verb: &str,
        argument: Option<&str>,
        class: u32,
    ) -> Answer<(i32, Str)> {
        if !is_verb(verb) || class.count_ones() != 1 {
            return Err(status::BAD_ARGUMENT);
        }
        let (verb, argument) = (verb.to_owned(), argument.map(str::to_owned));
        let command = Command { verb, argument, class, told: None.into() };
        let (code, reply) = match living(session)?.begin_command(command) {
            super::Begun::Own => return Ok((Begun::OWN, Str::NONE)),
            super::Begun::Done(reply) => (Begun::HANDLED, reply),
            super::Begun::Failed(why) => (status::FAILED, why),
            super::Begun::Denied(why) => (status::DENIED, why),
            super::Begun::Ending => return Err(status::ENDING),
            super::Begun::Refused => return Err(status::BAD_PHASE),
        };
        Ok((code, frames::keep(reply)?))
    }

    fn command_end(session: Handle, outcome: i32, reply: Option<&str>) -> Answer<()> {
        let ended = living(session)?.end_command(outcome, reply);
        ended.then_some(()).ok_or(status::BAD_PHASE)
    }

    fn answer(about: Handle, number: i32, value: Option<Handle>) -> Answer<()> {
        let value = value.map(values::take).transpose()?;
        frames::answer(about, (number, value))
    }

    fn register_authenticator(
        registrar: Handle,
        name: &str,
        place: u32,
        callback: Callback,
    ) -> Answer<()> {
        init::authenticator(registrar, name, Place::from_number(place), callback)
    }

    fn authenticate(session: Handle, user: &str, secret: &str) -> Answer<Handle> {
        let credentials = Credentials { user: user.to_owned(), secret: secret.to_owned() };
        let account = living(session)?.authenticate(credentials)?.ok_or(status::NONE)?;
        ValueStore::lend(&Rc::new(account)).ok_or(status::TOO_BIG)
    }

    fn open_file(registrar: Handle, path: &str) -> Answer<i32> {
        init::open_file(registrar, path)
    }

    fn register_listener_with(
        registrar: Handle,
        event: &str,
        name: &str,
        callback: Callback,
        place: u32,
        attempts: u32,
        millis: u64,
    ) -> Answer<()> {
        let deadline = Some(millis).filter(|millis| *millis > 0).map(Duration::from_millis);
        init::listener(registrar, event, name, Wish { place, attempts, deadline }, callback)
    }

    fn register_control(registrar: Handle, action: &str, callback: Callback) -> Answer<()> {
        init::control(registrar, action, callback)
    }
}
