//! USER, PASS and QUIT, and the last reply of a session that ends for another reason.

use exeunt_api::prelude::*;

use crate::client::{Client, Login};
use crate::reply::{Answer, Reply};

/// Whom a session belongs to after an anonymous login.
const ANONYMOUS: &str = "anonymous";

/// `USER`
pub(crate) fn user(client: &mut Client<'_>, name: &str) -> Answer {
    if client.login == Login::Done {
        return Ok(match is_anonymous(name) {
            true => Reply::new(230, "Logged in already."),
            false => Reply::new(501, "The user cannot be changed."),
        });
    }
    // The same for names that exist and names that do not.
    client.login = Login::Claimed(name.to_owned());
    Ok(Reply::new(331, "Password, please."))
}

/// `PASS`. The password of an anonymous user is not looked at; that of others the authenticators know.
pub(crate) fn pass(client: &mut Client<'_>, password: &str) -> Answer {
    match std::mem::replace(&mut client.login, Login::Nobody) {
        Login::Nobody => Ok(Reply::new(503, "USER has to come first.")),
        Login::Done => {
            client.login = Login::Done;
            Ok(Reply::new(503, "Logged in already."))
        }
        Login::Claimed(name) if client.config.anonymous && is_anonymous(&name) => {
            log_in(client, ANONYMOUS)
        }
        Login::Claimed(name) => match client.session.authenticate(&name, password)? {
            Some(account) if client.move_in(&account) => log_in(client, &account.user),
            _ => {
                client.session.login_failed(&name)?;
                Ok(Reply::new(530, "Login incorrect."))
            }
        },
    }
}

fn log_in(client: &mut Client<'_>, user: &str) -> Answer {
    client.session.login(user)?;
    client.session.expect_transfers();
    client.login = Login::Done;
    Ok(Reply::new(230, "Logged in."))
}

/// `QUIT`. The reply is the farewell.
pub(crate) fn quit(client: &mut Client<'_>, _: &str) -> Answer {
    Err(client.session.end(End::Quit).into())
}

fn is_anonymous(name: &str) -> bool {
    name.eq_ignore_ascii_case(ANONYMOUS) || name.eq_ignore_ascii_case("ftp")
}

/// The last reply for a cause, if the client is still there to read it and is to be told.
/// `in_dialogue` is whether it has sent a command.
pub(crate) fn farewell(cause: Cause, in_dialogue: bool) -> Option<Reply> {
    let (code, text) = match cause {
        Cause::ClientQuit => (221, "Goodbye."),
        // Nobody listens, or somebody who does not speak FTP.
        Cause::ClientEof | Cause::ClientReset | Cause::BadProtocol => return None,
        // An address that is not welcome learns nothing.
        Cause::AccessDenied | Cause::Banned if !in_dialogue => return None,
        Cause::AccessDenied | Cause::Banned => (530, "Access denied."),
        Cause::LimitSessions => (530, "Too many sessions: try again later."),
        Cause::LimitPerAddress => (530, "Too many sessions from your address."),
        Cause::LimitLogins => (530, "Too many are logged in: try again later."),
        Cause::LimitLoginAttempts => (530, "Login incorrect, and too many attempts."),
        Cause::ConnectionRate => (421, "Too many connections from your address: try again later."),
        Cause::TimeoutLogin => (421, "No login in time: closing."),
        Cause::TimeoutIdle => (421, "No command in time: closing."),
        Cause::TimeoutNoTransfer => (421, "No transfer in time: closing."),
        Cause::TimeoutStalled => (421, "The transfer has stalled: closing."),
        Cause::TimeoutSession => (421, "The time for a session is over: closing."),
        Cause::Kicked => (421, "The operator has ended the session."),
        Cause::DaemonShutdown => (421, "The service is shutting down."),
        _ => (421, "Service not available: closing."),
    };
    Some(Reply::new(code, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(cause: Cause, in_dialogue: bool) -> Option<String> {
        farewell(cause, in_dialogue).map(|reply| reply.to_string()[..3].to_owned())
    }

    #[test]
    fn each_cause_has_its_code() {
        let code = |cause| code(cause, true);
        assert_eq!(code(Cause::ClientQuit).as_deref(), Some("221"));
        assert_eq!(code(Cause::TimeoutIdle).as_deref(), Some("421"));
        assert_eq!(code(Cause::Kicked).as_deref(), Some("421"));
        assert_eq!(code(Cause::LimitSessions).as_deref(), Some("530"));
        assert_eq!(code(Cause::LimitLoginAttempts).as_deref(), Some("530"));
        assert_eq!(code(Cause::ClientEof), None);
        assert_eq!(code(Cause::BadProtocol), None);
    }

    #[test]
    fn who_is_denied_at_connect_is_told_nothing() {
        assert_eq!(code(Cause::AccessDenied, false), None);
        assert_eq!(code(Cause::AccessDenied, true).as_deref(), Some("530"));
    }
}
