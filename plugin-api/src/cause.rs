//! Why a session ended.

use std::fmt;

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal: $text:literal,)*) => {
        /// Why a session ended. The first cause that is committed wins and stays. New ones may be added.
        ///
        /// It displays as its name, which is what the journal and `exeunt exits` show; [`Cause::text`]
        /// is a sentence.
        ///
        /// ```
        /// use exeunt_api::prelude::*;
        ///
        /// assert_eq!(Cause::TimeoutIdle.to_string(), "timeout-idle");
        /// assert_eq!(Cause::TimeoutIdle.text(), "the client did nothing for too long");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $(#[doc = $text] $variant,)*
            /// A cause that the host knows and this version of the SDK does not.
            Unknown,
        }

        impl Cause {
            /// The cause with that name; [`Cause::Unknown`] for another. \[anywhere\]
            pub(crate) fn from_name(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    _ => Self::Unknown,
                }
            }

            /// The name, as the journal has it. \[anywhere\]
            ///
            /// ```
            /// use exeunt_api::prelude::*;
            ///
            /// assert_eq!(Cause::ClientQuit.name(), "client-quit");
            /// ```
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown => "unknown",
                }
            }

            /// The cause in words, lower case, without a full stop. \[anywhere\]
            ///
            /// ```
            /// use exeunt_api::prelude::*;
            ///
            /// assert_eq!(Cause::Kicked.text(), "an operator ended the session");
            /// ```
            #[must_use]
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown => "the cause is not known to this module",
                }
            }
        }
    };
}

causes! {
    ClientQuit = "client-quit": "the client said goodbye",
    ClientEof = "client-eof": "the client closed the connection without saying goodbye",
    ClientReset = "client-reset": "the client reset the connection",
    TimeoutLogin = "timeout-login": "the client did not log in in time",
    TimeoutIdle = "timeout-idle": "the client did nothing for too long",
    TimeoutNoTransfer = "timeout-no-transfer": "the client transferred nothing for too long",
    TimeoutStalled = "timeout-stalled": "a transfer made no progress for too long",
    TimeoutSession = "timeout-session": "the session lasted too long",
    AccessDenied = "access-denied": "a module denied access",
    Banned = "banned": "the client is banned",
    LimitSessions = "limit-sessions": "there are too many sessions",
    LimitPerAddress = "limit-per-address": "there are too many sessions from this address",
    LimitLogins = "limit-logins": "too many users are logged in",
    LimitLoginAttempts = "limit-login-attempts": "the client failed to log in too often",
    ConnectionRate = "connection-rate": "the client connects too often",
    BadProtocol = "bad-protocol": "the client does not speak the protocol",
    BadConfig = "bad-config": "the settings do not allow to serve",
    ModuleRequest = "module-request": "a module ended the session",
    InitFailed = "init-failed": "the session could not be set up",
    Kicked = "kicked": "an operator ended the session",
    DaemonShutdown = "daemon-shutdown": "the daemon is shutting down",
    ZygoteLost = "zygote-lost": "the process that looked after the session died",
    SupervisorLost = "supervisor-lost": "the daemon's main process died",
    Signal = "signal": "a signal ended the session's process",
    OutOfMemory = "out-of-memory": "the system ran out of memory",
    Crashed = "crashed": "the session's process crashed",
    Exited = "exited": "a module ended the session's process",
    Deadline = "deadline": "the session's process did not answer in time and was killed",
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
