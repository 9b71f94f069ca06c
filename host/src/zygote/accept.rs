//! From the listening socket to the session: accept, admit, write who it is, hand over.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use exeunt_ledger::SlotStatus;
use nix::sys::socket::{MsgFlags, send};
use std::sync::atomic::Ordering::Relaxed;

use super::Zygote;
use super::spares::Spare;
use crate::counters::{self, Own};
use crate::{clock, config, log};

/// How many connections are taken before other work gets its turn.
const BURST: usize = 32;
/// How long nothing is accepted after the kernel refused.
const PAUSE: Duration = Duration::from_secs(1);
/// How many spares are tried for one connection.
const TRIES: usize = 3;

/// A client at the door.
struct Client {
    listen: usize,
    peer: SocketAddr,
    local: SocketAddr,
    connection: OwnedFd,
}

impl Zygote {
    /// Accepts what waits at a listen.
    pub(super) fn accept(&mut self, listen: usize) {
        for _ in 0..BURST {
            let (stream, peer) = match self.listeners[listen].accept() {
                Ok(accepted) => accepted,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                // The client has gone while it waited: there may be others.
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => continue,
                Err(e) => {
                    // No descriptor or no memory: the client waits, and so does the next try.
                    let name = &self.generation.listens[listen].name;
                    log::error(format!(
                        "listen {name} cannot accept, tried again in a second: {e}"
                    ));
                    self.accept_from = clock::after(clock::now(), PAUSE);
                    return;
                }
            };
            let local = stream.local_addr().and_then(|a| stream.set_nonblocking(true).map(|()| a));
            if let Ok(local) = local {
                self.let_in(&Client { listen, peer, local, connection: stream.into() });
            }
        }
    }

    fn let_in(&mut self, client: &Client) {
        for _ in 0..TRIES {
            let Some(spare) = self.take_spare() else { break };
            let slot = spare.slot;
            match self.begin_session(spare, client) {
                Ok(()) => return,
                // The spare has died: its slot owes nothing, and is free when it is reaped.
                Err(e) => {
                    self.session_log(slot, config::Level::Warn, &format!("spare is gone: {e}"));
                }
            }
        }
        self.turn_away(client);
    }

    /// Writes who the session is, counts it, and hands the connection over.
    fn begin_session(&mut self, spare: Spare, client: &Client) -> io::Result<()> {
        let slot = spare.slot;
        let (identity, now) = (&self.slots[slot].identity, clock::now());
        let number = self.header.next_session.fetch_add(1, Relaxed) + 1;
        identity.session.store(number, Relaxed);
        identity.started.store(clock::unix_millis(), Relaxed);
        identity.started_at.store(now, Relaxed);
        identity.listen.store(client.listen as u32, Relaxed);
        identity.listeners.store(self.generation.exits().len() as u32, Relaxed);
        identity.peer.set(&client.peer.to_string());
        identity.local.set(&client.local.to_string());
        let admitted = self.admission.admit(client.peer, now).or_else(|_| {
            // Before anybody is refused: who has left or died by now is not counted any more.
            self.take_requests();
            self.reap_all();
            self.admission.admit(client.peer, now)
        });
        match admitted {
            Ok(()) => {
                identity.counted.store(1, Relaxed);
                counters::count(Own::Admitted, None);
            }
            Err((cause, detail)) => {
                identity.set_order(cause as u32, &detail, now);
                counters::count(Own::Refused, Some(cause.name()));
            }
        }
        identity.set_status(SlotStatus::Open);
        self.header.open.fetch_add(1, Relaxed);
        if let Err(e) = spare.hand_over(&client.connection) {
            self.header.open.fetch_sub(1, Relaxed);
            self.uncount(slot);
            self.slots[slot].identity.set_status(SlotStatus::Reserved);
            return Err(e);
        }
        self.lost_spares = 0;
        self.header.admitted.fetch_add(1, Relaxed);
        Ok(())
    }

    /// The limits no longer count the session of a slot, nor its login.
    pub(super) fn uncount(&mut self, slot: usize) {
        let identity = &self.slots[slot].identity;
        self.logins.leave(identity);
        if identity.counted.swap(0, Relaxed) == 1
            && let Ok(peer) = identity.peer.get().parse()
        {
            self.admission.leave(peer);
        }
    }

    /// There is no slot: the client gets the protocol's word for it, and nobody owes it anything.
    fn turn_away(&mut self, client: &Client) {
        self.header.refused_capacity.fetch_add(1, Relaxed);
        counters::count(Own::Refused, Some("capacity"));
        let listen = &self.generation.listens[client.listen];
        let protocol = self.generation.plan.protocol(&listen.protocol);
        if let Some(refusal) = protocol.and_then(|protocol| protocol.refusal.as_ref()) {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            // A client that does not take it goes without.
            let _unsent = send(client.connection.as_raw_fd(), refusal.as_bytes(), flags);
        }
        log::debug(format!("{} is turned away: no slot is free", client.peer));
    }
}
