//! Facts of a module about a session that survive the session's process.

use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use crate::bridge::Held;
use crate::{Error, Result};

/// The bytes that the host keeps for each module and session.
pub(crate) const ROOM: u32 = 256;

/// The key to the module's facts of a session, from
/// [`Registrar::session_state`](crate::Registrar::session_state). They live with the host, so that an
/// exit listener reads them also after the session's process has died. \[written in a living session,
/// read there and in `core.exit` listeners\]
///
/// ```no_run
/// use exeunt_api::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// let logins: State<u32> = reg.session_state()?;
/// reg.on("core.login", "count", move |event| match event.session() {
///     Some(session) => session.set(&logins, &(session.get(&logins)? + 1)),
///     None => Ok(()),
/// })
/// # }
/// ```
pub struct State<T> {
    kind: PhantomData<fn(T) -> T>,
}

impl<T> State<T> {
    pub(crate) fn new() -> Self {
        Self { kind: PhantomData }
    }
}

impl<T: DeserializeOwned + Default> State<T> {
    pub(crate) fn read(&self, held: Held<'_>) -> Result<T> {
        let mut room = [0; ROOM as usize];
        let length = held.state_read(&mut room);
        if length == 0 {
            return Ok(T::default());
        }
        let written = usize::try_from(length).ok().and_then(|length| room.get(..length));
        let Some(written) = written else {
            let status = i32::try_from(length).unwrap_or_default();
            return Err(Error::refused("reading the session state", status));
        };
        postcard::from_bytes(written)
            .map_err(|error| Error::new(format_args!("could not read the session state: {error}")))
    }
}

impl<T: Serialize> State<T> {
    pub(crate) fn write(&self, held: Held<'_>, value: &T) -> Result<()> {
        let mut room = [0; ROOM as usize];
        let written = postcard::to_slice(value, &mut room).map_err(|error| match error {
            postcard::Error::SerializeBufferFull => Error::new(format_args!(
                "could not write the session state: it has more than {ROOM} bytes"
            )),
            other => Error::new(format_args!("could not write the session state: {other}")),
        })?;
        match held.state_write(written) {
            status if status < 0 => Err(Error::refused("writing the session state", status)),
            _ => Ok(()),
        }
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for State<T> {}

impl<T> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
