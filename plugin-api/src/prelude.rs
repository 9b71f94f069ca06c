//! Everything that the author of a module needs: `use exeunt_api::prelude::*;`

pub use crate::export_module;
pub use crate::settings::Settings;
pub use crate::{
    Account, Cause, Command, CommandClass, CommandOutcome, CommandPhase, Control, Counter,
    Credentials, Directory, Dispatched, End, Ended, Error, Event, EventKey, Exit, Facts, Kind,
    Line, LineReader, Listener, Log, Module, OpenFile, Pattern, Protocol, Record, Registrar,
    Request, Result, Session, Settings, Shutdown, State, Stream, Timer, Told, Transfer, Value,
    Verdict, View, Waiting, Where, Wish,
};
