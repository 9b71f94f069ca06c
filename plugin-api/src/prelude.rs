//! Everything that the author of a module needs: `use exeunt_api::prelude::*;`

pub use crate::export_module;
pub use crate::settings::Settings;
pub use crate::{
    Cause, Counter, Directory, End, Ended, Error, Event, EventKey, Exit, Facts, Kind, Line,
    LineReader, Listener, Log, Module, Protocol, Record, Registrar, Result, Session, Settings,
    Shutdown, State, Stream, Timer, Value, View, Waiting,
};
