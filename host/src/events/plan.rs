//! The frozen plan: per event the listeners in the order in which they will run, and the protocols.
//! It is made once a generation and never changes.

use std::time::Duration;

use exeunt_api::abi::{Callback, ProtocolTable};
use exeunt_ledger::{Entry, Place};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::extras::Extras;

/// The daemon has started; once per start.
pub(crate) const STARTUP: &str = "core.startup";
/// A new generation has taken over.
pub(crate) const RESTART: &str = "core.restart";
/// A generation ends, after its last session.
pub(crate) const MODULE_UNLOAD: &str = "core.module-unload";
/// The daemon ends, after the last session.
pub(crate) const SHUTDOWN: &str = "core.shutdown";
/// A session begins.
pub(crate) const CONNECT: &str = "core.connect";
/// A client has proved who it is.
pub(crate) const LOGIN: &str = "core.login";
/// A client failed to prove who it is.
pub(crate) const LOGIN_FAILED: &str = "core.login-failed";
/// A session ends.
pub(crate) const EXIT: &str = "core.exit";

/// A module of the plan.
#[derive(Debug)]
pub(crate) struct ModulePlan {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
    pub(crate) file: String,
    /// How long each of its listeners may take.
    pub(crate) listener: Duration,
    /// Whether the operator said so: then it is not the module's to say.
    pub(crate) is_bounded: bool,
    /// Whether its listeners may have root's rights.
    pub(crate) may_be_root: bool,
    /// Which cell of a session's state is its own, if it asked for one.
    pub(crate) cell: Option<usize>,
}

/// A listener in its place.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    /// The index of its module.
    pub(crate) module: usize,
    /// Its name, unique in its module for the event.
    pub(crate) name: String,
    pub(crate) callback: Callback,
    /// Its number among all callbacks of the plan.
    pub(crate) number: u32,
    /// How long it may take.
    pub(crate) deadline: Duration,
    /// Where it runs, at the end of a session.
    pub(crate) place: Place,
    /// Which attempt of it this is. One that may be tried again is there once for each.
    pub(crate) attempt: u32,
}

/// An event and who listens.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// The module that declared it; none for those of the host.
    pub(crate) owner: Option<usize>,
    /// What its owner gave it; 0 for those of the host.
    pub(crate) version: u32,
    pub(crate) listeners: Vec<Listener>,
    /// Their turns, as the ledger knows them; there when the plan is frozen.
    pub(crate) roster: Vec<Entry>,
}

/// A protocol and whose it is.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) name: String,
    /// The index of its module.
    pub(crate) module: usize,
    pub(crate) table: ProtocolTable,
    /// What a client is told that is turned away.
    pub(crate) refusal: Option<String>,
    /// Its number among all callbacks of the plan.
    pub(crate) number: u32,
}

/// Everything that the modules registered.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) modules: Vec<ModulePlan>,
    pub(crate) events: Vec<Event>,
    pub(crate) protocols: Vec<Protocol>,
    /// What is neither a listener nor a protocol.
    pub(crate) extras: Extras,
    /// How many modules keep session state.
    pub(crate) cells: usize,
}

impl Plan {
    /// The event with that name.
    pub(crate) fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.name == name)
    }

    /// The listeners of an event, in order.
    pub(crate) fn listeners(&self, event: &str) -> &[Listener] {
        self.event(event).map_or(&[], |event| &event.listeners)
    }

    /// The turns of an event's listeners, in order.
    pub(crate) fn roster(&self, event: &str) -> &[Entry] {
        self.event(event).map_or(&[], |event| &event.roster)
    }

    /// The protocol with that name.
    pub(crate) fn protocol(&self, name: &str) -> Option<&Protocol> {
        self.protocols.iter().find(|protocol| protocol.name == name)
    }

    /// `module/listener`, as messages name a listener.
    pub(crate) fn title(&self, listener: &Listener) -> String {
        format!("{}/{}", self.modules[listener.module].name, listener.name)
    }

    /// What the callback with that number is, for the detail of a crash.
    pub(crate) fn whereabouts(&self, number: u32) -> Option<String> {
        let listener = self.events.iter().find_map(|event| {
            let found = event.listeners.iter().find(|listener| listener.number == number)?;
            Some(format!("in listener {} of {}", self.title(found), event.name))
        });
        let listener = listener.or_else(|| {
            let found = self.protocols.iter().find(|protocol| protocol.number == number)?;
            let module = &self.modules[found.module].name;
            Some(format!("in protocol {} of module {module}", found.name))
        });
        listener.or_else(|| {
            let (kind, found) = self.extras.callback(number)?;
            Some(format!("in {kind} {}", self.title(found)))
        })
    }

    /// SHA-256 of every (module, event, listener, place, attempt) in order: two plans with the same
    /// digest owe the same calls.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for event in &self.events {
            for listener in &event.listeners {
                for part in [&self.modules[listener.module].name, &event.name, &listener.name] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part.as_bytes());
                }
                hash.update([listener.place as u8]);
                hash.update(listener.attempt.to_le_bytes());
            }
        }
        hash.finalize().into()
    }

    fn listener_json(&self, event: &Event, listener: &Listener) -> Value {
        let is_it = |other: &&Listener| other.number == listener.number;
        let mut json = json!({
            "module": self.modules[listener.module].name,
            "listener": listener.name,
            "attempts": event.listeners.iter().filter(is_it).count(),
            "deadline_ms": u64::try_from(listener.deadline.as_millis()).unwrap_or(u64::MAX),
        });
        if event.name == EXIT {
            json["place"] = match listener.place {
                Place::Session => "session",
                Place::Runner => "runner",
                Place::Root => "root-runner",
            }
            .into();
        }
        json
    }

    /// The plan for `status` and `listeners`.
    pub(crate) fn json(&self, generation: u64, listens: &Value) -> Value {
        let events = self.events.iter().filter(|event| !event.listeners.is_empty());
        let listeners = |event: &Event| -> Vec<Value> {
            let firsts = event.listeners.iter().filter(|l| l.attempt == 1);
            firsts.map(|listener| self.listener_json(event, listener)).collect()
        };
        json!({
            "generation": generation,
            "modules": self.modules.iter().map(|m| json!({
                "name": m.name, "version": m.version, "sha256": m.sha256, "file": m.file,
            })).collect::<Vec<_>>(),
            "events": events.map(|e| json!({"event": e.name, "listeners": listeners(e)}))
                .collect::<Vec<_>>(),
            "protocols": self.protocols.iter().map(|p| json!({
                "protocol": p.name, "module": self.modules[p.module].name,
            })).collect::<Vec<_>>(),
            "listens": listens,
        })
    }
}
