//! The fake host's functions.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::values::{self, Node, node};
use super::{Fake, with};
use crate::abi::{
    Answer, Bytes, Callback, Fact, Handle, Interest, Offer, ProtocolTable, Str, Waiting, status,
};
use crate::bridge::Held;
use crate::value::Value;

/// The value inside a node of that kind.
macro_rules! inside {
    ($value:expr, $kind:ident) => {
        match node($value) {
            Node::$kind(inside) => Ok(inside),
            _ => Err(status::NONE),
        }
    };
}

impl Offer for Fake {
    fn log(_level: u32, text: &str) -> Answer<()> {
        with(|fake| fake.logged.push(text.to_owned()));
        Ok(())
    }

    fn fail(text: &str) -> Answer<()> {
        with(|fake| fake.failed.push(text.to_owned()));
        Ok(())
    }

    fn fail_at(value: Handle, text: &str, hint: Option<&str>) -> Answer<()> {
        let told = (shown(value), text.to_owned(), hint.unwrap_or_default().to_owned());
        with(|fake| fake.problems.push(told));
        Ok(())
    }

    fn value_kind(value: Handle) -> Answer<i32> {
        Ok(values::kind(value) as i32)
    }

    fn value_bool(value: Handle) -> Answer<bool> {
        inside!(value, Bool)
    }

    fn value_int(value: Handle) -> Answer<i64> {
        inside!(value, Int)
    }

    fn value_float(value: Handle) -> Answer<f64> {
        inside!(value, Float)
    }

    fn value_str(value: Handle) -> Answer<Str> {
        inside!(value, Str).map(Str::new)
    }

    fn value_bytes(value: Handle) -> Answer<Bytes> {
        inside!(value, Bytes).map(Bytes::new)
    }

    fn value_len(value: Handle) -> Answer<usize> {
        values::entries(value).map(|all| all.len())
    }

    fn value_at(value: Handle, index: usize) -> Option<Handle> {
        values::entry(value, index).map(|(_, entry)| entry)
    }

    fn value_key(value: Handle, index: usize) -> Answer<Str> {
        values::entry(value, index).map(|(name, _)| Str::new(name)).ok_or(status::NONE)
    }

    fn value_get(value: Handle, key: &str) -> Option<Handle> {
        let all = values::entries(value).ok()?;
        all.into_iter().find(|(name, _)| *name == key).map(|(_, entry)| entry)
    }

    fn value_new(kind: i32, int: i64, float: f64, bytes: Option<&[u8]>) -> Option<Handle> {
        values::new(kind, int, float, bytes)
    }

    fn value_push(list: Handle, entry: Handle) -> Answer<()> {
        values::append(list, "", entry)
    }

    fn value_put(table: Handle, key: &str, entry: Handle) -> Answer<()> {
        values::append(table, key, entry)
    }

    fn settings(_registrar: Handle) -> Option<Handle> {
        with(|fake| fake.settings)
    }

    fn register_listener(_: Handle, event: &str, name: &str, callback: Callback) -> Answer<()> {
        let name = format!("{event}/{name}");
        with(|fake| {
            if fake.listeners.iter().any(|(other, _)| *other == name) {
                return Err(status::DUPLICATE);
            }
            fake.listeners.push((name, callback));
            Ok(())
        })
    }

    fn register_protocol(
        _registrar: Handle,
        _name: &str,
        table: Option<ProtocolTable>,
        _refusal: Option<&str>,
    ) -> Answer<()> {
        with(|fake| fake.protocols.extend(table));
        Ok(())
    }

    fn listen_settings(_registrar: Handle, _protocol: &str, index: u32) -> Option<Handle> {
        with(|fake| fake.listens.get(index as usize).copied())
    }

    fn declare_event(_registrar: Handle, _name: &str, _version: u32) -> Answer<()> {
        Ok(())
    }

    fn register_state(_registrar: Handle, _size: u32) -> Answer<()> {
        Ok(())
    }

    fn open_directory(_registrar: Handle, path: &str) -> Answer<i32> {
        Self::fail(&format!("could not open `{path}`: there are no directories here"))?;
        Err(status::FAILED)
    }

    fn fact_str(_subject: Handle, fact: u32) -> Answer<Str> {
        let fact = Fact::from_number(fact);
        let known = with(|fake| fake.facts.iter().find(|known| Some(known.0) == fact).copied());
        known.map(|(_, text)| Str::new(text)).ok_or(status::NONE)
    }

    fn fact_int(_subject: Handle, _fact: u32) -> Answer<i64> {
        Err(status::NONE)
    }

    fn payload(_subject: Handle) -> Option<Handle> {
        with(|fake| fake.payload)
    }

    fn living(subject: Handle) -> Option<Handle> {
        with(|fake| fake.connection.is_some()).then_some(subject)
    }

    fn state_read(_subject: Handle, to: &mut [u8]) -> Answer<usize> {
        let state = with(|fake| fake.state.clone());
        to[..state.len()].copy_from_slice(&state);
        Ok(state.len())
    }

    fn state_write(_subject: Handle, bytes: &[u8]) -> Answer<()> {
        with(|fake| fake.state = bytes.to_vec());
        Ok(())
    }

    fn session_wait(_session: Handle, on: &mut [Waiting], millis: i64) -> Answer<usize> {
        with(|fake| fake.looks += 1);
        if with(|fake| fake.ending) { Err(status::ENDING) } else { Ok(wait(on, millis)) }
    }

    fn session_connection(_session: Handle) -> Answer<i32> {
        with(|fake| fake.connection.as_ref().map(AsRawFd::as_raw_fd)).ok_or(status::BAD_HANDLE)
    }

    fn session_count(_session: Handle, received: u64, sent: u64) -> Answer<()> {
        with(|fake| fake.bytes = (fake.bytes.0 + received, fake.bytes.1 + sent));
        Ok(())
    }

    fn session_command(_session: Handle, _command: &str, _path: Option<&str>) -> Answer<()> {
        Ok(())
    }

    fn session_login(_session: Handle, _user: &str) -> Answer<()> {
        Err(status::ENDING)
    }

    fn session_login_failed(_session: Handle, _user: &str) -> Answer<u32> {
        Ok(2)
    }

    fn session_transfer(_session: Handle, state: u32) -> Answer<()> {
        with(|fake| fake.done.push(format!("transfer {state}")));
        Ok(())
    }

    fn session_end(_session: Handle, cause: &str, _detail: Option<&str>) -> Answer<()> {
        with(|fake| fake.ended.push(cause.to_owned()));
        Err(status::ENDING)
    }

    fn generate(_session: Handle, event: &str, payload: Option<Handle>) -> Answer<()> {
        let text = format!("{event} {}", payload.map(shown).unwrap_or_default());
        with(|fake| fake.generated.push(text));
        Ok(())
    }

    fn farewell(_ended: Handle, bytes: &[u8]) -> Answer<()> {
        with(|fake| fake.farewells.push(String::from_utf8_lossy(bytes).into_owned()));
        Ok(())
    }

    fn register_counter(_registrar: Handle, name: &str, labels: &[&str]) -> Answer<i32> {
        with(|fake| {
            fake.registered.push(format!("counter {name}{labels:?}"));
            i32::try_from(fake.registered.len()).map_err(|_| status::TOO_BIG)
        })
    }

    fn counter_add(counter: u32, values: &[&str], amount: u64) -> Answer<()> {
        with(|fake| {
            let counter = &fake.registered[counter as usize - 1];
            fake.done.push(format!("{counter}{values:?} {amount}"));
        });
        Ok(())
    }

    fn register_timer(_registrar: Handle, name: &str, callback: Callback) -> Answer<()> {
        register(format!("timer {name}"), callback)
    }

    fn timer_set(_session: Handle, name: &str, millis: i64) -> Answer<()> {
        with(|fake| fake.done.push(format!("timer {name} {millis}")));
        Ok(())
    }

    fn register_hook(
        _registrar: Handle,
        phase: u32,
        verb: Option<&str>,
        classes: u32,
        name: &str,
        callback: Callback,
    ) -> Answer<()> {
        register(format!("hook {phase} {verb:?} {classes} {name}"), callback)
    }

    fn register_command(_registrar: Handle, verb: &str, callback: Callback) -> Answer<()> {
        register(format!("command {verb}"), callback)
    }

    fn command_begin(
        _session: Handle,
        verb: &str,
        argument: Option<&str>,
        class: u32,
    ) -> Answer<(i32, Str)> {
        with(|fake| fake.done.push(format!("begin {verb} {argument:?} {class}")));
        let text = String::leak(verb.to_owned());
        Ok((with(|fake| fake.begun), Str::new(text)))
    }

    fn command_end(_session: Handle, outcome: i32, reply: Option<&str>) -> Answer<()> {
        with(|fake| fake.done.push(format!("end {outcome} {reply:?}")));
        Ok(())
    }

    fn answer(_about: Handle, number: i32, value: Option<Handle>) -> Answer<()> {
        let text = format!("answer {number} {}", value.map(shown).unwrap_or_default());
        with(|fake| fake.done.push(text));
        Ok(())
    }

    fn register_authenticator(_: Handle, name: &str, place: u32, call: Callback) -> Answer<()> {
        register(format!("authenticator {name} {place}"), call)
    }

    fn authenticate(_session: Handle, user: &str, secret: &str) -> Answer<Handle> {
        with(|fake| fake.done.push(format!("authenticate {user} {secret}")));
        with(|fake| fake.account).ok_or(status::NONE)
    }

    fn open_file(registrar: Handle, path: &str) -> Answer<i32> {
        Self::open_directory(registrar, path)
    }

    fn register_listener_with(
        registrar: Handle,
        event: &str,
        name: &str,
        callback: Callback,
        _place: u32,
        _attempts: u32,
        _millis: u64,
    ) -> Answer<()> {
        Self::register_listener(registrar, event, name, callback)
    }

    fn register_control(_registrar: Handle, action: &str, callback: Callback) -> Answer<()> {
        register(format!("control {action}"), callback)
    }
}

fn register(what: String, callback: Callback) -> Answer<()> {
    with(|fake| {
        fake.registered.push(what);
        fake.callbacks.push(callback);
    });
    Ok(())
}

fn shown(value: Handle) -> String {
    format!("{:?}", Value::new(Held::new(value)))
}

/// Waits with poll(2); a test that waits without limit for what does not come fails.
fn wait(on: &mut [Waiting], millis: i64) -> usize {
    // SAFETY: a module keeps the descriptors open during the call.
    let fds: Vec<_> = on.iter().map(|one| unsafe { BorrowedFd::borrow_raw(one.fd) }).collect();
    let flags = |one: &Waiting| match one.interest {
        Interest::READ => PollFlags::IN,
        _ => PollFlags::OUT,
    };
    let mut polled: Vec<_> =
        fds.iter().zip(&*on).map(|(fd, one)| PollFd::new(fd, flags(one))).collect();
    let time = Duration::from_millis(u64::try_from(millis).unwrap_or(10_000));
    let ready = poll(&mut polled, Some(&Timespec::try_from(time).unwrap())).unwrap();
    assert!(ready > 0 || millis >= 0, "nothing came");
    let found: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
    for (one, found) in on.iter_mut().zip(found) {
        one.ready = if found { one.interest } else { 0 };
    }
    ready
}
