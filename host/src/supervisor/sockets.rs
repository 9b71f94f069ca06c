//! The listening sockets: bound by the supervisor, served by the zygotes. A socket that is wanted by
//! the next generation, too, stays as it is, with the connections that wait in it.

use std::io;
use std::net::{SocketAddr, TcpListener};

use nix::sys::socket::{Backlog, listen};

use super::member::{Member, Why};
use super::{Failure, Supervisor};
use crate::config::{Address, Config, Problem, Problems, Source};

impl Supervisor {
    /// Binds what is not bound yet; all that fail are told. At the start each is cited at its place.
    pub(super) fn bind_new(
        &mut self,
        listens: &[SocketAddr],
        at_start: bool,
    ) -> Result<(), Failure> {
        self.every_passed_socket_is_served(listens)?;
        let mut problems = Problems::default();
        let mut bound = Vec::new();
        for address in listens {
            if self.sockets.iter().any(|(known, _)| known == address) {
                continue;
            }
            match bind(*address) {
                Ok(socket) => bound.push((*address, socket)),
                Err(e) => {
                    let place = at_start.then_some(&self.config);
                    problems.push(problem(*address, &e, place));
                }
            }
        }
        if !problems.is_empty() {
            return Err(Failure::no(render(&problems, &self.source, at_start)));
        }
        self.sockets.extend(bound);
        Ok(())
    }

    /// Clients of a socket that was passed and is not served would wait for ever.
    fn every_passed_socket_is_served(&self, listens: &[SocketAddr]) -> Result<(), Failure> {
        let left = self.passed.iter().filter(|(_, address)| !listens.contains(address));
        let told: String = left.map(|(name, address)| surplus(name, *address)).collect();
        if told.is_empty() { Ok(()) } else { Err(Failure::refused(told)) }
    }

    /// Closes the sockets that no generation wants that serves or is about to. One that was passed
    /// could not be had again.
    pub(super) fn close_unused_sockets(&mut self) {
        let members = &self.members;
        // A zygote that goes on for a dead one has to say first which it wants.
        let is_silent = |m: &Member| matches!(m.why, Why::Adoption(_)) && m.facts.is_none();
        if members.iter().any(is_silent) {
            return;
        }
        let passed = &self.passed;
        let wanted = |address: &SocketAddr| {
            let is_passed = passed.iter().any(|(_, passed)| passed == address);
            let may_accept = members.iter().filter(|member| !member.is_finishing());
            is_passed || may_accept.flat_map(|m| &m.listens).any(|listen| listen == address)
        };
        self.sockets.retain(|(address, _)| wanted(address));
    }
}

fn surplus(name: &str, address: SocketAddr) -> String {
    format!(
        "error: no [[listen]] takes the socket `{name}` ({address}) that was passed to the daemon\n  \
         hint: write `address = \"systemd:{name}\"` or `address = \"{address}\"` in one, or remove the \
         socket's unit\n"
    )
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpListener::bind(address)?;
    // As many waiting connections as the kernel allows.
    listen(&socket, Backlog::MAXALLOWABLE)?;
    Ok(socket)
}

fn render(problems: &Problems, source: &Source, at_start: bool) -> String {
    if at_start {
        return problems.render(source, false);
    }
    problems.iter().map(|problem| format!("error: {problem}\n")).collect()
}

fn problem(address: SocketAddr, e: &io::Error, config: Option<&Config>) -> Problem {
    let mut problem = Problem::new(format!("cannot listen on {address}: {e}"));
    let listens = config.into_iter().flat_map(|config| &config.listens);
    if let Some(listen) =
        listens.into_iter().find(|listen| listen.address == Address::Bound(address))
    {
        problem = problem.at(listen.address_span.clone());
    }
    match hint(e.kind(), address.port()) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn hint(kind: io::ErrorKind, port: u16) -> Option<&'static str> {
    match kind {
        io::ErrorKind::AddrInUse => Some("another program listens there: `ss -ltnp` shows which"),
        io::ErrorKind::AddrNotAvailable => Some("this machine does not have that address"),
        io::ErrorKind::PermissionDenied if port < 1024 => {
            Some("ports below 1024 are for root: start as root, or take another port")
        }
        _ => None,
    }
}
