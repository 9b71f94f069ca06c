//! The listens of a generation: each with its protocol in the plan, and with its address.

use std::net::SocketAddr;

use crate::config::{Address, Config, Problem, Problems};
use crate::events::Plan;
use crate::generation::{Generation, Listen};
use crate::inheritance::Inheritance;

/// Every listen; what is wrong with it is told at its place.
pub(super) fn listens(
    inheritance: &Inheritance,
    config: &Config,
    plan: &Plan,
    problems: &mut Problems,
) -> Vec<Listen> {
    let mut listens: Vec<Listen> = Vec::new();
    for listen in &config.listens {
        let protocol = &listen.protocol;
        if plan.protocol(protocol).is_none() {
            let names: Vec<&str> = plan.protocols.iter().map(|p| p.name.as_str()).collect();
            let hint = match names[..] {
                [] => "no enabled module offers a protocol".to_owned(),
                _ => format!("the enabled modules offer: {}", names.join(", ")),
            };
            let message = format!("no enabled module offers the protocol `{protocol}`");
            problems.push(Problem::new(message).at(listen.protocol_span.clone()).hint(hint));
        }
        let index = listens.iter().filter(|other| other.protocol == *protocol).count();
        let bound = bound(inheritance, &listen.address).unwrap_or_else(|problem| {
            problems.push(problem.at(listen.address_span.clone()));
            None
        });
        if let Some(twin) = listens.iter().find(|other| is_same_socket(other.bound, bound)) {
            let message = format!("`{}` and `{}` have the same socket", twin.name, listen.name);
            let detail = format!("`{}` is at {}", twin.name, twin.place);
            problems.push(Problem::new(message).at(listen.address_span.clone()).detail(detail));
        }
        listens.push(Listen {
            name: listen.name.clone(),
            protocol: protocol.clone(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            login_users: listen.login_users,
            place: listen.address.clone(),
            bound,
        });
    }
    listens
}

/// The listens for those who ask.
pub(super) fn shown(generation: &Generation) -> serde_json::Value {
    let one = |listen: &Listen| {
        serde_json::json!({
            "name": listen.name, "address": listen.place.to_string(), "protocol": listen.protocol,
        })
    };
    generation.listens.iter().map(one).collect()
}

/// Where a listen is bound: a socket that was passed is known by its name. A check was passed none.
fn bound(inheritance: &Inheritance, address: &Address) -> Result<Option<SocketAddr>, Problem> {
    let name = match address {
        Address::Bound(address) => return Ok(Some(*address)),
        Address::Passed(_) if inheritance.check => return Ok(None),
        Address::Passed(name) => name,
    };
    let passed = &inheritance.passed;
    if let Some((_, address)) = passed.iter().find(|(known, _)| known == name) {
        return Ok(Some(*address));
    }
    let names: Vec<&str> = passed.iter().map(|(name, _)| &**name).collect();
    let detail = match names[..] {
        [] => "it was passed no socket at its start".to_owned(),
        _ => format!("at its start it was passed: {}", names.join(", ")),
    };
    Err(Problem::new(format!("the daemon has no socket with the name `{name}`"))
        .detail(detail)
        .hint("start it by its socket unit, in which FileDescriptorName= gives the name"))
}

fn is_same_socket(one: Option<SocketAddr>, other: Option<SocketAddr>) -> bool {
    one == other && one.is_some_and(|address| address.port() != 0)
}
