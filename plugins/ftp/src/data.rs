//! The data connection: agreed on with PASV, EPSV, PORT or EPRT, opened for one transfer.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::time::{Duration, Instant};

use exeunt_api::prelude::*;

use crate::address::{self, BadEprt};
use crate::client::Client;
use crate::control::{For, Turn};
use crate::reply::{Answer, Reply};

/// How long a client may take to connect, or to accept, a data connection.
const OPENING: Duration = Duration::from_secs(30);

/// How the next data connection is to come about.
#[derive(Default)]
pub(crate) enum Plan {
    /// Not agreed on.
    #[default]
    None,
    /// The client connects here.
    Passive(Listener),
    /// The client listens there.
    Active(SocketAddr),
}

/// A data connection and its transfer, which is over when this is dropped.
pub(crate) struct Data<'s> {
    _transfer: Transfer<'s>,
    stream: Stream,
}

impl Deref for Data<'_> {
    type Target = Stream;

    fn deref(&self) -> &Stream {
        &self.stream
    }
}

/// `PASV`
pub(crate) fn pasv(client: &mut Client<'_>, _: &str) -> Answer {
    refuse_after_epsv_all(client, "PASV")?;
    if client.local.is_ipv6() {
        return Ok(Reply::new(425, "PASV is for IPv4: use EPSV."));
    }
    let SocketAddr::V4(here) = listen(client)? else {
        return Ok(Reply::new(425, "Cannot listen on an IPv4 address."));
    };
    let numbers = address::pasv_text(here);
    Ok(Reply::new(227, format!("Entering Passive Mode ({numbers}).")))
}

/// `EPSV`, `EPSV 1`, `EPSV 2` and `EPSV ALL`
pub(crate) fn epsv(client: &mut Client<'_>, argument: &str) -> Answer {
    let own = address::protocol_number(client.local);
    let argument = argument.trim();
    if argument.eq_ignore_ascii_case("ALL") {
        client.epsv_all = true;
        return Ok(Reply::new(200, "From now on only EPSV."));
    }
    if !argument.is_empty() && argument != own {
        return Ok(Reply::new(522, format!("Network protocol not supported, use ({own}).")));
    }
    let port = listen(client)?.port();
    Ok(Reply::new(229, format!("Entering Extended Passive Mode (|||{port}|)")))
}

/// `PORT`
pub(crate) fn port(client: &mut Client<'_>, argument: &str) -> Answer {
    refuse_after_epsv_all(client, "PORT")?;
    match address::parse_port(argument) {
        Some(target) => connect_later(client, "PORT", target),
        None => Ok(Reply::new(501, "PORT takes six numbers from 0 to 255.")),
    }
}

/// `EPRT`
pub(crate) fn eprt(client: &mut Client<'_>, argument: &str) -> Answer {
    refuse_after_epsv_all(client, "EPRT")?;
    let own = address::protocol_number(client.peer);
    match address::parse_eprt(argument) {
        Ok(target) if target.is_ipv4() == client.peer.is_ipv4() => {
            connect_later(client, "EPRT", target)
        }
        Ok(_) | Err(BadEprt::Protocol) => {
            Ok(Reply::new(522, format!("Network protocol not supported, use ({own}).")))
        }
        Err(BadEprt::Malformed) => Ok(Reply::new(522, "EPRT takes |protocol|address|port|.")),
    }
}

fn refuse_after_epsv_all(client: &Client<'_>, verb: &str) -> Answer<()> {
    if client.epsv_all {
        return Err(
            Reply::new(500, format!("Illegal {verb} command: EPSV ALL is in effect.")).into()
        );
    }
    Ok(())
}

fn connect_later(client: &mut Client<'_>, verb: &str, target: SocketAddr) -> Answer {
    if !address::may_connect(client.peer, target) {
        return Ok(Reply::new(500, format!("Illegal {verb} command.")));
    }
    client.plan = Plan::Active(target);
    Ok(Reply::new(200, format!("{verb} command successful.")))
}

/// Listens on the address that the client is connected to, in place of what was agreed on before.
fn listen(client: &mut Client<'_>) -> Answer<SocketAddr> {
    client.plan = Plan::None;
    match client.session.listen_on(client.local, client.ports.clone()) {
        Ok(listener) => {
            let here = listener.local_addr();
            client.plan = Plan::Passive(listener);
            Ok(here)
        }
        Err(error) if error.is_ending() => Err(error.into()),
        Err(error) => {
            client.session.log().warn(format!("cannot listen for a data connection: {error}"));
            Err(Reply::new(425, "Cannot listen for a data connection.").into())
        }
    }
}

/// Sends `150 text` and opens the data connection that was agreed on; the agreement is then used up,
/// and a listener closed. The error is the reply for a connection that does not come about.
pub(crate) fn open<'s>(client: &mut Client<'s>, text: &str) -> Answer<Data<'s>> {
    let plan = std::mem::take(&mut client.plan);
    if matches!(plan, Plan::None) {
        return Err(Reply::new(425, "Use PASV, EPSV, PORT or EPRT first.").into());
    }
    client.control.send(&Reply::new(150, text))?;
    let stream = match plan {
        Plan::Passive(listener) => accept(client, &listener)?,
        Plan::Active(target) => match client.session.connect(target, Some(OPENING)) {
            Err(error) if error.is_ending() => return Err(error.into()),
            connected => connected.map_err(|_| cannot_open())?,
        },
        Plan::None => return Err(cannot_open().into()),
    };
    Ok(Data { _transfer: client.session.transfer(&stream), stream })
}

/// Accepts a connection from the client's own address; others are closed at once.
fn accept(client: &mut Client<'_>, listener: &Listener) -> Answer<Stream> {
    let deadline = Instant::now() + OPENING;
    loop {
        match client.control.watch(listener, For::Reading, Some(deadline))? {
            Turn::Ready => {}
            Turn::Abort => return Err(Reply::new(426, "Transfer aborted.").into()),
            Turn::TimedOut => return Err(cannot_open().into()),
        }
        let Some((stream, from)) = client.session.accept(listener, Some(Duration::ZERO))? else {
            continue;
        };
        if is_same_host(client.peer, from) {
            return Ok(stream);
        }
        client.session.log().warn(format!("closed a data connection from {from}: not the client"));
    }
}

fn is_same_host(client: IpAddr, from: SocketAddr) -> bool {
    from.ip().to_canonical() == client
}

fn cannot_open() -> Reply {
    Reply::new(425, "Cannot open the data connection.")
}
