//! Why a session ended: the names, and the numbers in the ledger. Who commits which cause is decided
//! where it is found out; the sentences for clients are the SDK's.

/// Declares the causes once: number in the ledger, variant, name, sentence.
macro_rules! causes {
    ($($number:literal $variant:ident $name:literal $text:literal;)*) => {
        /// The cause of a session's end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub(crate) enum Cause {
            $(#[doc = $text] $variant = $number,)*
        }

        impl Cause {
            /// Every cause.
            #[cfg(test)]
            pub(crate) const ALL: &[Cause] = &[$(Cause::$variant),*];

            /// The name in the journal and in `modules.toml`.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Cause::$variant => $name),* }
            }

            /// The cause with that number in the ledger.
            pub(crate) fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Cause::$variant),)* _ => None }
            }

            /// The cause with that name.
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Cause::$variant),)* _ => None }
            }
        }
    };
}

causes! {
    1 ClientQuit "client-quit" "the client said goodbye";
    2 ClientEof "client-eof" "the client closed the connection without a goodbye";
    3 ClientReset "client-reset" "the client's connection was reset";
    4 TimeoutLogin "timeout-login" "nobody logged in within the login timeout";
    5 TimeoutIdle "timeout-idle" "the client was idle for too long";
    6 TimeoutNoTransfer "timeout-no-transfer" "nothing was transferred for too long";
    7 TimeoutStalled "timeout-stalled" "a transfer did not move for too long";
    8 TimeoutSession "timeout-session" "the session reached its greatest length";
    9 AccessDenied "access-denied" "a module denied the connection or the login";
    11 LimitSessions "limit-sessions" "as many sessions as allowed were open";
    12 LimitPerAddress "limit-per-address" "as many sessions as allowed were open from the client's address";
    13 LimitLogins "limit-logins" "as many logins as allowed were open";
    14 LimitLoginAttempts "limit-login-attempts" "as many logins as allowed had failed";
    15 ConnectionRate "connection-rate" "as many connections as allowed within a minute had come from the client's address";
    16 BadProtocol "bad-protocol" "the client does not speak the protocol";
    18 ModuleRequest "module-request" "a module asked for the end";
    20 Kicked "kicked" "an operator ended the session";
    21 DaemonShutdown "daemon-shutdown" "the daemon is ending";
    22 ZygoteLost "zygote-lost" "the process that had started the session died before the login";
    23 SupervisorLost "supervisor-lost" "the supervisor died";
    24 Signal "signal" "a signal ended the session";
    25 OutOfMemory "out-of-memory" "the system ran out of memory";
    26 Crashed "crashed" "the session's process crashed";
    27 Exited "exited" "code of a module ended the session's process";
    28 Deadline "deadline" "the session did not return in time and was killed";
}

impl Cause {
    /// The event that is generated in the session before it ends for this cause, if there is one.
    pub(crate) fn event(self) -> Option<&'static str> {
        match self {
            Cause::TimeoutLogin => Some("core.timeout-login"),
            Cause::TimeoutIdle => Some("core.timeout-idle"),
            Cause::TimeoutNoTransfer => Some("core.timeout-no-transfer"),
            Cause::TimeoutStalled => Some("core.timeout-stalled"),
            Cause::TimeoutSession => Some("core.timeout-session"),
            Cause::LimitSessions => Some("core.limit-sessions"),
            Cause::LimitPerAddress => Some("core.limit-per-address"),
            Cause::LimitLogins => Some("core.limit-logins"),
            Cause::ConnectionRate => Some("core.connection-rate"),
            Cause::LimitLoginAttempts => Some("core.limit-login-attempts"),
            _ => None,
        }
    }

    /// Whether a module may end a session for this cause.
    pub(crate) fn is_for_modules(self) -> bool {
        matches!(
            self,
            Cause::ClientQuit
                | Cause::ClientEof
                | Cause::ClientReset
                | Cause::BadProtocol
                | Cause::ModuleRequest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_their_cause() {
        for cause in Cause::ALL {
            assert_eq!(Cause::from_name(cause.name()), Some(*cause));
            assert_eq!(Cause::from_number(*cause as u32), Some(*cause));
        }
    }

    #[test]
    fn every_timeout_and_limit_has_its_event() {
        for cause in Cause::ALL.iter().filter(|c| c.name().contains("-")) {
            let named = ["timeout-", "limit-", "connection-rate"];
            let named = named.iter().any(|begin| cause.name().starts_with(begin));
            assert_eq!(
                cause.event().map(|e| e.strip_prefix("core.")),
                named.then(|| Some(cause.name()))
            );
        }
    }
}
