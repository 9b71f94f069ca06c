//! What is registered beside listeners: how it reaches the host, and what comes back.

use std::time::Duration;

use serde_json::json;

use super::fake::{self, handle, held, with};
use crate::abi::{Fact, status};
use crate::prelude::*;

#[test]
fn a_counter_counts_for_the_values_of_its_labels() {
    fake::install();
    let counter = Registrar::new(held()).counter("logins", ["listen"]).unwrap();
    counter.add(["public"], 3);
    assert_eq!(with(|fake| fake.done.pop()).unwrap(), r#"counter logins["listen"]["public"] 3"#);
}

/// The callback that was registered last, called as the host calls it.
fn enter_last() -> i32 {
    let callback = with(|fake| fake.callbacks.pop()).unwrap();
    // SAFETY: the host passes the `user` that belongs to the function.
    unsafe { callback.call.unwrap()(callback.user, handle()) }
}

#[test]
fn a_timer_is_set_by_its_key_and_entered_with_its_session() {
    let (session, _client) = fake::session();
    let ring = |session: &Session<'_>| Err(session.end(End::Request("late")));
    let timer = Registrar::new(held()).on_timer("bell", ring).unwrap();
    session.after(Duration::from_micros(1500), &timer).unwrap();
    session.cancel(&timer).unwrap();
    assert_eq!(with(|fake| fake.done.clone()), ["timer bell 2", "timer bell -1"]);
    assert_eq!(enter_last(), status::ENDING);
    assert_eq!(with(|fake| fake.ended.pop()).unwrap(), "module-request");
}

#[test]
fn a_command_that_is_the_protocols_own_is_ended_with_what_it_told() {
    let (session, _client) = fake::session();
    let request = Request { verb: "GET", argument: Some("a"), class: CommandClass::Read };
    let own = session.dispatch(&request, |told| {
        told.failed("550 no");
        Ok(7)
    });
    assert_eq!(own.unwrap(), Dispatched::Own(7));
    let error = session.dispatch::<()>(&request, |_| Err(Error::Ending)).unwrap_err();
    assert!(error.is_ending());
    let done = with(|fake| fake.done.clone());
    let begin = r#"begin GET Some("a") 1"#;
    assert_eq!(done, [begin, r#"end -1 Some("550 no")"#, begin, "end -2 None"]);
}

#[test]
fn a_panic_in_the_middle_of_a_command_ends_it_first() {
    let (session, _client) = fake::session();
    let request = Request { verb: "GET", argument: None, class: CommandClass::Misc };
    let status = super::guard(|| {
        session.dispatch(&request, |_| panic!("no luck")).map(|_: Dispatched<()>| ())
    });
    assert_eq!(status, status::PANICKED);
    assert_eq!(with(|fake| fake.done.pop()).unwrap(), "end -11 None");
}

#[test]
fn a_module_answers_for_a_verb_and_the_protocol_gets_its_reply() {
    let (session, _client) = fake::session();
    Registrar::new(held()).command("WHOAMI", |_| Ok("you".to_owned())).unwrap();
    assert_eq!(enter_last(), status::OK);
    assert_eq!(with(|fake| fake.done.pop()).unwrap(), r#"answer 0 "you""#);
    for (begun, expected) in [
        (1, Dispatched::Done("WHOAMI".to_owned())),
        (status::FAILED, Dispatched::Failed("WHOAMI".to_owned())),
        (status::DENIED, Dispatched::Denied("WHOAMI".to_owned())),
    ] {
        with(|fake| fake.begun = begun);
        let request = Request { verb: "WHOAMI", argument: None, class: CommandClass::Info };
        assert_eq!(session.dispatch(&request, |_| Ok(())).unwrap(), expected);
    }
}

#[test]
fn a_hook_sees_the_command_and_denies_it() {
    let (_session, _client) = fake::session();
    fake::fact(Fact::Verb, "DELE");
    let deny = |command: &Command<'_>| Err(command.deny(format!("550 no {}", command.verb())));
    let writing = Pattern::class(CommandClass::Write);
    Registrar::new(held()).on_command(CommandPhase::Pre, writing, "keep", deny).unwrap();
    assert_eq!(with(|fake| fake.registered.pop()).unwrap(), "hook 1 None 2 keep");
    assert_eq!(enter_last(), status::DENIED);
    assert_eq!(with(|fake| fake.failed.pop()).unwrap(), "550 no DELE");
}

#[test]
fn a_verdict_and_an_account_cross_the_border() {
    let (session, _client) = fake::session();
    let vouch = |_: &Credentials<'_>| Ok(Verdict::Accept(Account::new("anna").home("/in")));
    Registrar::new(held()).authenticator("all", Where::Session, vouch).unwrap();
    assert_eq!(with(|fake| fake.registered.pop()).unwrap(), "authenticator all 1");
    assert_eq!(enter_last(), status::OK);
    let told = with(|fake| fake.done.pop()).unwrap();
    let expected =
        r#"answer 1 {"user": "anna", "home": "/in", "root": null, "groups": [], "system": false}"#;
    assert_eq!(told, expected);
    assert_eq!(session.authenticate("anna", "x").unwrap(), None);
    let account = fake::value(&json!({"user": "anna", "root": "/a"})).held().handle();
    with(|fake| fake.account = Some(account));
    assert_eq!(session.authenticate("a", "x").unwrap(), Some(Account::new("anna").root("/a")));
}

#[test]
fn an_action_gets_its_arguments_and_answers_with_any_value() {
    fake::install();
    let words = |call: &Control<'_>| Ok(call.arguments().map(str::len).collect::<Vec<_>>());
    Registrar::new(held()).control("count", words).unwrap();
    let arguments = fake::value(&json!(["one", "", "three"])).held().handle();
    with(|fake| fake.payload = Some(arguments));
    assert_eq!(enter_last(), status::OK);
    assert_eq!(with(|fake| fake.done.pop()).unwrap(), "answer 0 [3, 0, 5]");
}
