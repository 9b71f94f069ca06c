//! The listening sockets: bound by the supervisor, served by the zygote.

use std::net::TcpListener;

use nix::sys::socket::{Backlog, listen};

use super::Failure;
use crate::config::{Config, Problem, Problems, Source};

/// Binds every listen; all that fail are told, each at its place.
pub(super) fn bind(source: &Source, config: &Config) -> Result<Vec<TcpListener>, Failure> {
    let mut problems = Problems::default();
    let mut bound = Vec::new();
    for wanted in &config.listens {
        let socket = TcpListener::bind(wanted.address).and_then(|socket| {
            listen(&socket, Backlog::MAXALLOWABLE)?;
            Ok(socket)
        });
        match socket {
            Ok(socket) => bound.push(socket),
            Err(e) => {
                let message = format!("cannot listen on {}: {e}", wanted.address);
                let mut problem = Problem::new(message).at(wanted.address_span.clone());
                if let Some(hint) = hint(e.kind(), wanted.address.port()) {
                    problem = problem.hint(hint);
                }
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() { Ok(bound) } else { Err(Failure::no(problems.render(source, false))) }
}

fn hint(kind: std::io::ErrorKind, port: u16) -> Option<&'static str> {
    match kind {
        std::io::ErrorKind::AddrInUse => {
            Some("another program listens there: `ss -ltnp` shows which")
        }
        std::io::ErrorKind::AddrNotAvailable => Some("this machine does not have that address"),
        std::io::ErrorKind::PermissionDenied if port < 1024 => {
            Some("ports below 1024 are for root: start as root, or take another port")
        }
        _ => None,
    }
}
