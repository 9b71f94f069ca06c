//! Who has a turn at an end, as far as the protocol knows: where each listener runs, and whether it is
//! one more attempt of the listener before it. What is called, and how, is not known here.

/// Where a listener runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Place {
    /// In the process whose end it is, while that lives; else in a runner.
    #[default]
    Session,
    /// In a runner, which no code of the session has touched.
    Runner,
    /// In a runner with root's rights.
    Root,
}

/// One turn. A listener that may be tried again has as many turns as attempts, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Where it runs.
    pub place: Place,
    /// Whether it is one more attempt of the listener before: needed only if that was not done.
    pub again: bool,
}
