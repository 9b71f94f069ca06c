//! Modules as the host sees them: init, and what comes back from callbacks.

use serde_json::json;

use super::export::init;
use super::fake::{self, handle, held, with};
use crate::abi::{Fact, HostRef, status};
use crate::prelude::*;

/// The module's init, called as the host calls it.
fn load<M: Module>(settings: &serde_json::Value, listens: &[serde_json::Value]) -> i32 {
    fake::settings(settings, listens);
    let host: HostRef = super::host();
    // SAFETY: the host's table is the fake's, and so is the handle.
    unsafe { init::<M>(host, handle()) }
}

/// A registered listener, called as the host calls it.
fn enter(listener: &str) -> i32 {
    let find = |fake: &mut fake::Fake| fake.listeners.iter().find(|l| l.0 == listener).unwrap().1;
    let callback = with(find);
    // SAFETY: the host passes the `user` that belongs to the function.
    unsafe { callback.call.unwrap()(callback.user, handle()) }
}

#[derive(Settings)]
struct Config {
    /// The words to log.
    words: String,
}

struct Listeners;

impl Module for Listeners {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let words = config.words;
        reg.on_exit("good", move |exit| {
            exit.log().info(format_args!("{words}, {} ({})", exit.session(), exit.cause()));
            Ok(())
        })?;
        reg.on_exit("bad", |_| Err(Error::new("the disk is full")))?;
        reg.on_exit("panic", |_| panic!("no {}", "luck"))?;
        reg.on_exit("ending", |_| Err(Error::Ending))?;
        reg.on("core.login", "deny", |event| Err(event.deny("not on Sundays")))
    }
}

#[test]
fn a_listener_sees_the_facts_and_what_it_captured() {
    assert_eq!(load::<Listeners>(&json!({"words": "farewell"}), &[]), status::OK);
    fake::fact(Fact::Session, "s1");
    fake::fact(Fact::Cause, "client-quit");
    assert_eq!(enter("core.exit/good"), status::OK);
    assert_eq!(with(|fake| fake.logged.pop()).unwrap(), "farewell, s1 (client-quit)");
}

#[test]
fn an_error_becomes_a_status_and_its_text_is_told() {
    load::<Listeners>(&json!({"words": ""}), &[]);
    assert_eq!(enter("core.exit/bad"), status::FAILED);
    assert_eq!(enter("core.login/deny"), status::DENIED);
    assert_eq!(enter("core.exit/ending"), status::ENDING);
    assert_eq!(with(|fake| fake.failed.clone()), ["the disk is full", "not on Sundays"]);
}

#[test]
fn a_panic_is_caught_and_told_with_its_place() {
    load::<Listeners>(&json!({"words": ""}), &[]);
    assert_eq!(enter("core.exit/panic"), status::PANICKED);
    let told = with(|fake| fake.failed.pop()).unwrap();
    assert!(told.starts_with("panicked at plugin-api/src/bridge/tests.rs:"), "{told}");
    assert!(told.ends_with(": no luck"), "{told}");
    assert!(with(|fake| fake.logged.is_empty()));
}

#[test]
fn refused_settings_fail_init_before_the_module_runs() {
    assert_eq!(load::<Listeners>(&json!({"word": "hi"}), &[]), status::FAILED);
    assert!(with(|fake| fake.listeners.is_empty()));
    assert_eq!(with(|fake| fake.problems.len()), 1);
}

struct Twice;

impl Module for Twice {
    type Config = ();

    fn init(_config: (), reg: &mut Registrar<'_>) -> Result<()> {
        reg.on_exit("again", |_| Ok(()))?;
        reg.on_exit("again", |_| Ok(()))
    }
}

#[test]
fn a_listener_that_is_registered_twice_fails_init_by_name() {
    assert_eq!(load::<Twice>(&json!({}), &[]), status::FAILED);
    let told = with(|fake| fake.failed.pop()).unwrap();
    assert_eq!(told, "the listener `again` for `core.exit` was refused: registered twice");
}

#[test]
fn the_two_ends_are_registered_by_their_own_methods() {
    fake::install();
    let error = Registrar::new(held()).on("core.exit", "x", |_| Ok(())).unwrap_err();
    assert!(error.to_string().ends_with("register it with `on_exit`"), "{error}");
}

struct Rooted;

impl Module for Rooted {
    type Config = ();

    fn init(_config: (), reg: &mut Registrar<'_>) -> Result<()> {
        reg.directory("/srv").map(drop)
    }
}

#[test]
fn a_reason_that_the_host_gave_is_not_replaced_by_a_poorer_one() {
    assert_eq!(load::<Rooted>(&json!({}), &[]), status::FAILED);
    let told = with(|fake| fake.failed.clone());
    assert_eq!(told, ["could not open `/srv`: there are no directories here"]);
}

struct Greeter;

impl Module for Greeter {
    type Config = Config;

    fn init(_config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        reg.protocol("greet", Greeter)
    }
}

impl Protocol for Greeter {
    type Config = Config;
    const REFUSAL: &'static str = "full\r\n";

    fn serve(&self, config: &Config, session: &Session<'_>) -> Result<()> {
        session.write_all(&session.connection(), config.words.as_bytes())?;
        session.read(&session.connection(), &mut [0; 8]).map(drop)
    }

    fn farewell(&self, end: &Ended<'_>) -> Option<String> {
        Some(format!("221 {}", end.cause()))
    }
}

#[test]
fn a_protocol_gets_the_settings_of_its_listen_and_a_reset_ends_it() {
    let listens = [json!({"words": "hello"})];
    assert_eq!(load::<Greeter>(&json!({"words": "own"}), &listens), status::OK);
    let table = with(|fake| fake.protocols.pop()).unwrap();
    let (_session, client) = fake::session();
    drop(client);
    // SAFETY: the host passes the `user` that belongs to the function.
    assert_eq!(unsafe { table.serve.unwrap()(table.user, handle()) }, status::ENDING);
    assert_eq!(with(|fake| fake.ended.pop()).unwrap(), "client-reset");
    fake::fact(Fact::Cause, "client-reset");
    // SAFETY: as above.
    assert_eq!(unsafe { table.farewell.unwrap()(table.user, handle()) }, status::OK);
    assert_eq!(with(|fake| fake.farewells.pop()).unwrap(), "221 client-reset");
}

#[test]
fn the_problems_of_all_listens_are_told() {
    let listens = [json!({}), json!({"words": "x"}), json!({"words": 5})];
    assert_eq!(load::<Greeter>(&json!({"words": "own"}), &listens), status::FAILED);
    assert_eq!(with(|fake| fake.problems.len()), 2);
    assert!(with(|fake| fake.protocols.is_empty()));
}
