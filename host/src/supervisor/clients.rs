//! The clients of the control socket: who they are, what they ask, and what they are told. Each has
//! a short time to ask; none of them can hold the daemon up.

use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::geteuid;

use super::Supervisor;
use super::member::{Member, Role};
use crate::channel::Message;
use crate::clock::{self, Moment};
use crate::control::{self, REQUEST_SIZE, Reply, Request};
use crate::log;

/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most clients at the same time.
const CLIENTS: usize = 64;

struct Client {
    stream: UnixStream,
    uid: u32,
    asked: Vec<u8>,
    /// What came with the request.
    with: Option<OwnedFd>,
    until: Moment,
}

/// A client whose request is whole.
pub(super) struct Asked {
    stream: UnixStream,
    request: Request,
    with: Option<OwnedFd>,
}

/// A client that waits until the generations have looked for a session.
struct Kick {
    token: u64,
    /// How many have not answered yet.
    asked: usize,
    stream: UnixStream,
}

/// Everybody at the control socket.
pub(super) struct Clients {
    listener: UnixListener,
    clients: Vec<Client>,
    /// Waiting for a zygote's word about a kick.
    kicking: Vec<Kick>,
    /// Waiting until the daemon is gone: their connection ends with it.
    staying: Vec<UnixStream>,
    tokens: u64,
}

impl Clients {
    pub(super) fn new(listener: UnixListener) -> Self {
        let (clients, kicking, staying) = (Vec::new(), Vec::new(), Vec::new());
        Self { listener, clients, kicking, staying, tokens: 0 }
    }

    pub(super) fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// The descriptors of those who have not asked yet, in order.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.clients.iter().map(|client| client.stream.as_raw_fd())
    }

    /// When the patience with the first of them ends.
    pub(super) fn next_moment(&self) -> Option<Duration> {
        let first = self.clients.iter().map(|client| client.until).min();
        first.map(|moment| clock::until(moment, clock::now()))
    }

    /// Reads from those that are ready, accepts new ones, and returns the requests that are whole.
    pub(super) fn take(&mut self, ready: &[bool], knocking: bool) -> Vec<Asked> {
        let mut requests = Vec::new();
        let now = clock::now();
        let mut ready = ready.iter().copied();
        let clients = std::mem::take(&mut self.clients);
        for mut client in clients {
            let is_ready = ready.next().unwrap_or(false);
            match if is_ready { client.read() } else { Progress::Waiting } {
                Progress::Asked(request) => {
                    let Client { stream, with, .. } = client;
                    requests.push(Asked { stream, request, with });
                }
                Progress::Waiting if client.until > now => self.clients.push(client),
                Progress::Waiting | Progress::Over => {}
            }
        }
        if knocking {
            self.accept(now);
        }
        requests
    }

    /// Accepts one: the next waits until this one could be heard.
    fn accept(&mut self, now: Moment) {
        let Ok((stream, _)) = self.listener.accept() else { return };
        let Ok(peer) = getsockopt(&stream, sockopt::PeerCredentials) else { return };
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        if self.clients.len() == CLIENTS {
            // Who has been silent for longest makes room: nobody can keep the others out.
            self.clients.remove(0);
        }
        let (asked, until) = (Vec::new(), clock::after(now, PATIENCE));
        self.clients.push(Client { stream, uid: peer.uid(), asked, with: None, until });
    }

    fn wait_for_kick(&mut self, kick: Kick) {
        if kick.asked == 0 {
            Reply::refused("no generation serves at this moment").send(&kick.stream);
        } else {
            self.kicking.push(kick);
        }
    }

    /// A zygote has answered a kick: the session was there, or nobody has it.
    pub(super) fn kicked(&mut self, token: u64, found: bool) {
        let Some(place) = self.kicking.iter().position(|kick| kick.token == token) else { return };
        let kick = &mut self.kicking[place];
        kick.asked -= 1;
        if found || kick.asked == 0 {
            let reply =
                if found { Reply::done("kicked") } else { Reply::refused("no such session") };
            reply.send(&kick.stream);
            self.kicking.swap_remove(place);
        }
    }
}

enum Progress {
    Asked(Request),
    Waiting,
    Over,
}

impl Client {
    fn read(&mut self) -> Progress {
        let mut bytes = [0; REQUEST_SIZE];
        let missing = REQUEST_SIZE - self.asked.len();
        match control::receive(&self.stream, &mut bytes[..missing]) {
            Ok((0, _)) => return Progress::Over,
            Ok((n, with)) => {
                self.asked.extend_from_slice(&bytes[..n]);
                self.with = with.or(self.with.take());
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Progress::Waiting,
            Err(_) => return Progress::Over,
        }
        let Ok(whole) = <&[u8; REQUEST_SIZE]>::try_from(&*self.asked) else {
            return Progress::Waiting;
        };
        match Request::decode(whole) {
            Some(request) if self.may(request) => Progress::Asked(request),
            Some(_) => self.refuse("only root and the daemon's own user may ask for that"),
            None => self.refuse("the daemon does not know this request; is it of another version?"),
        }
    }

    fn may(&self, request: Request) -> bool {
        !request.changes() || self.uid == 0 || self.uid == geteuid().as_raw()
    }

    fn refuse(&self, why: &str) -> Progress {
        log::warn(format!("a control request of uid {} was refused: {why}", self.uid));
        Reply::refused(why).send(&self.stream);
        Progress::Over
    }
}

impl Supervisor {
    /// Does what a client asks.
    pub(super) fn answer(&mut self, asked: Asked) {
        let Asked { stream, request, with } = asked;
        match request {
            Request::Status => Reply::done(self.status()).send(&stream),
            Request::Reload { previous } => self.reload(Some(stream), previous),
            Request::Call => self.pass_call(&stream, with),
            Request::Stop { grace } => {
                log::info("asked to end by the control socket");
                self.end(grace.map(Duration::from_millis));
                Reply::done("the daemon ends").send(&stream);
                self.clients.staying.push(stream);
            }
            Request::Kick { session } => {
                self.clients.tokens += 1;
                let token = self.clients.tokens;
                let kick = Message::Kick { session, token };
                // One that is starting is not yet told anything.
                let begun = |member: &&Member| !matches!(member.role, Role::Starting(_));
                let living = self.members.iter().filter(|member| member.is_living()).filter(begun);
                let asked = living.filter(|member| member.line.send(kick, &[]).is_ok()).count();
                self.clients.wait_for_kick(Kick { token, asked, stream });
            }
        }
    }

    /// Hands a call to the generation that serves, whose child answers the client. What the words are,
    /// is not looked at here.
    fn pass_call(&self, stream: &UnixStream, words: Option<OwnedFd>) {
        let why = match (words, self.active()) {
            (None, _) => "the words of the call are missing".to_owned(),
            (_, None) => "no generation serves at this moment".to_owned(),
            (Some(words), Some(active)) => {
                let with = [words.as_raw_fd(), stream.as_raw_fd()];
                match active.line.send(Message::Call, &with) {
                    Ok(()) => return,
                    Err(e) => format!("the zygote does not hear: {e}"),
                }
            }
        };
        Reply::refused(why).send(stream);
    }
}
