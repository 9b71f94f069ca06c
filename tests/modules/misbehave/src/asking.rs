//! Requests to the zygote that no session is to send: garbage, in the name of others, twice, from
//! another process.

#![allow(unsafe_code, reason = "the socket is not the module's")]
#![allow(clippy::disallowed_methods, reason = "the child ends at once")]

use exeunt_api::prelude::*;

const LEAVE: u32 = 1;
const LOGIN: u32 = 2;
/// So many sessions of the daemon are spoken for.
const OTHERS: u64 = 20;

/// Asks for whatever the session with this id must not have.
pub(crate) fn ask(session: &str) -> Result<()> {
    let own = session.rsplit('-').next().and_then(|number| number.parse().ok());
    let own: u64 = own.ok_or("the session has no number")?;
    let socket = (0..256).find(|fd| is_request_socket(*fd)).ok_or("there is no socket to ask")?;
    for garbage in [&[][..], b"leave\0\0\0", &[0xff; 92], &[0; 92], &[1; 4000]] {
        send(socket, garbage);
    }
    for other in (1..=OTHERS).filter(|other| *other != own) {
        send(socket, &request(LEAVE, other, ""));
        send(socket, &request(LOGIN, other, "ghost"));
    }
    send(socket, &request(LOGIN, own, "ghost"));
    in_a_child(|| send(socket, &request(LEAVE, own, "")));
    Ok(())
}

fn is_request_socket(fd: i32) -> bool {
    let ask = |option| {
        let (mut value, mut size) = (0_i32, size_of::<i32>() as u32);
        // SAFETY: the option is a number, for which there is room; any descriptor may be asked.
        let asked = unsafe {
            let value = (&raw mut value).cast();
            libc::getsockopt(fd, libc::SOL_SOCKET, option, value, &raw mut size)
        };
        (asked == 0).then_some(value)
    };
    ask(libc::SO_TYPE) == Some(libc::SOCK_DGRAM) && ask(libc::SO_DOMAIN) == Some(libc::AF_UNIX)
}

fn request(kind: u32, session: u64, user: &str) -> [u8; 92] {
    let mut words = [0; 92];
    words[..4].copy_from_slice(&kind.to_ne_bytes());
    words[4] = 1;
    words[8..16].copy_from_slice(&session.to_ne_bytes());
    words[24] = user.len() as u8;
    words[28..28 + user.len()].copy_from_slice(user.as_bytes());
    words
}

fn send(socket: i32, words: &[u8]) {
    // SAFETY: the words live until the call returns.
    while unsafe { libc::send(socket, words.as_ptr().cast(), words.len(), 0) } < 0
        && std::io::Error::last_os_error().kind() == std::io::ErrorKind::WouldBlock
    {
        std::thread::yield_now();
    }
}

fn in_a_child(act: impl FnOnce()) {
    // SAFETY: the process has one thread, so the child is as sound as its parent.
    match unsafe { libc::fork() } {
        0 => {
            act();
            // SAFETY: ends the child.
            unsafe { libc::_exit(0) }
        }
        child => {
            // SAFETY: waits for the child; the status is not wanted.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        }
    }
}
