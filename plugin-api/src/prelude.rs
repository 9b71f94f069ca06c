//! Everything that the author of a module needs: `use exeunt_api::prelude::*;`

pub use crate::export_module;
pub use crate::settings::Settings;
pub use crate::{
    Cause, Command, CommandClass, CommandOutcome, CommandPhase, Counter, Directory, Dispatched,
    End, Ended, Error, Event, EventKey, Exit, Facts, Kind, Line, LineReader, Listener, Log, Module,
    Pattern, Protocol, Record, Registrar, Request, Result, Session, Settings, Shutdown, State,
    Stream, Timer, Told, Value, View, Waiting,
};
