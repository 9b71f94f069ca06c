//! What must be true in the end: compared are what each client saw, what the listeners themselves
//! wrote down, and the journal.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;

use crate::load::{End, Session};
use crate::summary::Summary;

/// The numbers of a generation that served.
#[derive(Clone, Debug)]
pub struct Served {
    /// The generation's own number.
    pub generation: u64,
    /// That of its settings, which clients are greeted with.
    pub number: u64,
    /// That of the code of each module, as the listeners write it down.
    pub codes: HashMap<String, u64>,
    /// When it was asked for, at the earliest.
    pub from: Instant,
    /// When the next one was known to serve.
    pub until: Option<Instant>,
}

/// Everything that there is to compare.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// What each client saw.
    pub sessions: &'a [Session],
    /// The generations, in their order.
    pub served: &'a [Served],
    /// When zygotes were killed.
    pub kills: &'a [Instant],
    /// The listeners in their order: `mark00/first`.
    pub listeners: &'a [String],
    /// What the listeners wrote.
    pub trace: &'a str,
    /// The lines of `exits.jsonl`.
    pub journal: &'a str,
}

/// A line that a listener wrote.
struct Entered<'a> {
    listener: &'a str,
    session: &'a str,
    number: u64,
    code: u64,
    cause: &'a str,
}

/// Compares, and adds what it finds.
pub fn judge(evidence: &Evidence<'_>, summary: &mut Summary) {
    let entered = by_client(evidence.trace, summary);
    let journal = by_session(evidence.journal, summary);
    let (mut lost, mut after_death, mut doubled) = (0, 0, 0);
    for session in evidence.sessions {
        let client = session.address.to_string();
        let lines = entered.get(&*client).map_or(&[][..], Vec::as_slice);
        let is_lost = is_lost(session, evidence.kills);
        lost += usize::from(is_lost || session.end == End::Cause("zygote-lost"));
        match &session.end {
            End::Unconnected(why) => summary.violation(format!("{client} did not connect: {why}")),
            End::Broken(why) if !is_lost => {
                summary.violation(format!("the session of {client} broke: {why}"));
            }
            _ => {}
        }
        if lines.is_empty() && is_lost {
            continue;
        }
        judge_chain(&client, lines, evidence.listeners, summary);
        let Some(first) = lines.first() else { continue };
        judge_code(&client, session, lines, evidence.served, summary);
        if let End::Cause(cause) = session.end {
            let same = lines.iter().all(|line| line.cause == cause);
            summary.require(same, || format!("{client}: {} instead of {cause}", first.cause));
        }
        let told = journal.get(first.session).map_or(&[][..], Vec::as_slice);
        doubled += told.len().saturating_sub(1);
        judge_journal(&client, first, told, evidence.served, summary);
        after_death += usize::from(told.first().is_some_and(by_a_runner));
    }
    let strangers = entered.len() - known(&entered, evidence.sessions);
    summary.require(strangers == 0, || format!("listeners ran for {strangers} unknown clients"));
    summary
        .require(doubled <= evidence.kills.len(), || format!("{doubled} journal lines too many"));
    summary.figure("sessions compared", evidence.sessions.len());
    summary.figure("listeners entered", entered.values().map(Vec::len).sum::<usize>());
    summary.figure("chains finished by runners", after_death);
    summary.figure("lost before login at zygote kills", lost);
    summary.figure("journal lines written twice", doubled);
}

fn known(entered: &HashMap<&str, Vec<Entered<'_>>>, sessions: &[Session]) -> usize {
    sessions.iter().filter(|s| entered.contains_key(&*s.address.to_string())).count()
}

/// Whether a session may have been lost: it was not logged in when a zygote was killed.
fn is_lost(session: &Session, kills: &[Instant]) -> bool {
    let is_broken = matches!(session.end, End::Broken(_));
    let within = |kill: &Instant| session.begun <= *kill && *kill <= session.over;
    is_broken && !session.logged_in && kills.iter().any(within)
}

fn judge_chain(client: &str, lines: &[Entered<'_>], all: &[String], summary: &mut Summary) {
    let ran: Vec<&str> = lines.iter().map(|line| line.listener).collect();
    let same = ran.iter().eq(all.iter());
    summary.require(same, || format!("{client}: the listeners that ran are {ran:?}"));
    let sessions = lines.iter().all(|line| line.session == lines[0].session);
    summary.require(sessions, || format!("{client} had more than one session"));
}

/// The listeners ran with the code and the settings of the generation that greeted the client, and
/// that one served when it did.
fn judge_code(
    client: &str,
    session: &Session,
    lines: &[Entered<'_>],
    served: &[Served],
    summary: &mut Summary,
) {
    let number = session.greeted.map_or(lines[0].number, |(_, number)| number);
    let codes = served.iter().find(|s| s.number == number).map(|s| &s.codes);
    for line in lines {
        let module = line.listener.split('/').next().unwrap_or_default();
        let code = codes.and_then(|codes| codes.get(module)).copied();
        let (own, has) = ((Some(number), code), (Some(line.number), Some(line.code)));
        summary.require(own == has && code.is_some(), || {
            format!("{client} was of {own:?}, its {} was run by {has:?}", line.listener)
        });
    }
    if let Some((at, number)) = session.greeted {
        let could = |s: &Served| {
            let not_over = s.until.is_none_or(|until| until >= session.begun);
            s.number == number && s.from <= at && not_over
        };
        let right = served.iter().any(could);
        summary.require(right, || format!("{client} was greeted by {number}, which did not serve"));
    }
}

fn judge_journal(
    client: &str,
    line: &Entered<'_>,
    told: &[Value],
    served: &[Served],
    summary: &mut Summary,
) {
    let Some(told) = told.first() else {
        return summary.violation(format!("{client}: no journal line for {}", line.session));
    };
    let generation = served.iter().find(|s| Some(s.generation) == told["generation"].as_u64());
    let own = generation.is_some_and(|generation| generation.number == line.number);
    let done = |listener: &Value| listener["outcome"] == "done" && listener["attempt"] == 1;
    let listeners = told["listeners"].as_array().map_or(&[][..], Vec::as_slice);
    let right = own && told["sealed"] == true && listeners.iter().all(done);
    summary.require(right, || format!("{client}: the journal says {told}"));
}

fn by_a_runner(told: &Value) -> bool {
    told["listeners"].as_array().is_some_and(|all| all.iter().any(|l| l["by"] == "runner"))
}

fn by_client<'a>(trace: &'a str, summary: &mut Summary) -> HashMap<&'a str, Vec<Entered<'a>>> {
    let mut all: HashMap<&str, Vec<Entered<'_>>> = HashMap::new();
    for line in trace.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let read = || {
            let [listener, session, peer, number, code, cause, _] = words[..] else { return None };
            let (number, code) = (number.parse().ok()?, code.parse().ok()?);
            Some((peer.rsplit_once(':')?.0, Entered { listener, session, number, code, cause }))
        };
        match read() {
            Some((client, entered)) => all.entry(client).or_default().push(entered),
            None => summary.violation(format!("no line of a listener: {line:?}")),
        }
    }
    all
}

fn by_session(journal: &str, summary: &mut Summary) -> HashMap<String, Vec<Value>> {
    let mut all: HashMap<String, Vec<Value>> = HashMap::new();
    for line in journal.lines() {
        let told: Value = serde_json::from_str(line).unwrap_or_default();
        match told["session"].as_str() {
            Some(session) => all.entry(session.to_owned()).or_default().push(told.clone()),
            None => summary.violation(format!("no line of the journal: {line:?}")),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOURNAL: &str = r#"{"session":"s-1","generation":1,"sealed":true,"listeners":[
        {"outcome":"done","attempt":1,"by":"session"}]}"#;

    /// What is wrong with one session that was greeted by 7, with this trace.
    fn wrong(trace: &str, end: End, kills: &[Instant]) -> Vec<String> {
        let (now, listeners) = (Instant::now(), ["m/first".to_owned(), "m/second".to_owned()]);
        let address = "127.1.0.1".parse().expect("an address");
        let greeted = Some((now, 7));
        let session = Session { address, begun: now, greeted, logged_in: false, over: now, end };
        let codes = HashMap::from([("m".to_owned(), 5)]);
        let served = Served { generation: 1, number: 7, codes, from: now, until: None };
        let mut summary = Summary::default();
        let evidence = Evidence {
            sessions: &[session],
            served: &[served],
            kills,
            listeners: &listeners,
            trace,
            journal: &JOURNAL.replace('\n', ""),
        };
        judge(&evidence, &mut summary);
        summary.violations
    }

    fn line(listener: &str, number: u64, code: u64) -> String {
        format!("m/{listener} s-1 127.1.0.1:99 {number} {code} client-quit live\n")
    }

    #[test]
    fn a_session_whose_listeners_ran_once_each_is_right() {
        let trace = line("first", 7, 5) + &line("second", 7, 5);
        assert_eq!(wrong(&trace, End::Cause("client-quit"), &[]), [""; 0]);
    }

    #[test]
    fn a_listener_too_few_too_many_or_out_of_order_is_found() {
        let (first, second) = (line("first", 7, 5), line("second", 7, 5));
        for trace in [&first, &(second.clone() + &first), &(first.clone() + &second + &second)] {
            let wrong = wrong(trace, End::Cause("client-quit"), &[]);
            assert!(wrong[0].contains("the listeners that ran are"), "{wrong:?}");
        }
    }

    #[test]
    fn other_code_and_other_settings_are_found() {
        for (number, code) in [(7, 6), (8, 5)] {
            let trace = line("first", 7, 5) + &line("second", number, code);
            let wrong = wrong(&trace, End::Cause("client-quit"), &[]);
            assert!(wrong[0].contains("its m/second was run by"), "{wrong:?}");
        }
    }

    #[test]
    fn another_cause_is_found() {
        let trace = line("first", 7, 5) + &line("second", 7, 5);
        let wrong = wrong(&trace, End::Cause("client-eof"), &[]);
        assert_eq!(wrong, ["127.1.0.1: client-quit instead of client-eof"]);
    }

    #[test]
    fn a_session_may_be_lost_only_when_a_zygote_is_killed() {
        let broken = End::Broken("the connection ended".to_owned());
        assert!(!wrong("", broken.clone(), &[]).is_empty());
        let before_it_began = Instant::now();
        assert!(!wrong("", broken, &[before_it_began]).is_empty());
    }

    #[test]
    fn a_session_that_was_open_and_not_logged_in_when_a_zygote_was_killed_is_lost() {
        let (begun, end) = (Instant::now(), End::Broken("the connection ended".to_owned()));
        let address = "127.1.0.1".parse().expect("an address");
        let over = begun + std::time::Duration::from_secs(2);
        let session = Session { address, begun, greeted: None, logged_in: false, over, end };
        let kill = begun + std::time::Duration::from_secs(1);
        assert!(is_lost(&session, &[kill]));
        assert!(!is_lost(&Session { logged_in: true, ..session }, &[kill]));
    }
}
