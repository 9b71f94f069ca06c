//! A reload: the file is read again and handed to a candidate, which says whether it is right. The
//! supervisor does not look into it.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use super::member::{Dowry, Member, Role, Why, sealed};
use super::{Supervisor, tell};
use crate::cause::Cause;
use crate::channel::Message;
use crate::control::Reply;
use crate::{clock, config, log};

impl Supervisor {
    /// Whether a new generation is on its way.
    pub(super) fn is_reloading(&self) -> bool {
        self.members
            .iter()
            .any(|member| matches!(member.why, Why::Start | Why::Reload) && !member.is_living())
    }

    /// Begins a reload; with `previous`, back to the generation before, from its kept modules.
    pub(super) fn reload(&mut self, client: Option<UnixStream>, previous: bool) {
        if self.endings > 0 {
            return refuse(client, "the daemon is ending");
        }
        if self.then.is_some() {
            return refuse(
                client,
                "the daemon is still finishing what was left by one that was killed",
            );
        }
        if self.is_reloading() {
            self.reload_again |= client.is_none();
            return refuse(client, "a reload is under way; its outcome is in the log");
        }
        // Whoever rotates the log asks for a reload afterwards.
        if let Err(e) = log::open(&self.config.log) {
            log::error(format!("the log cannot be opened again: {e}"));
        }
        self.notify_reloading();
        match self.propose(previous) {
            Ok(()) => self.reloading = client,
            Err(why) => {
                self.notify_refused(&why);
                refuse(client, &why);
            }
        }
    }

    fn propose(&mut self, previous: bool) -> Result<(), String> {
        let cannot = |e: io::Error| format!("the candidate cannot be started: {e}");
        let (text, kept) = if previous {
            let none = "there is no generation before this one";
            let previous = self.previous.as_ref().ok_or(none)?;
            (previous.text.try_clone().map_err(cannot)?, previous.plan.clone())
        } else {
            let env = config::Environment::current().map_err(|problem| problem.to_string())?;
            let read =
                config::read(&self.config.file, &env).map_err(|problem| problem.to_string())?;
            (sealed(c"modules.toml", read.text.as_bytes()).map_err(cannot)?, String::new())
        };
        self.make_room();
        self.start_generation(text, &kept, Why::Reload).map_err(cannot)
    }

    /// Starts a candidate for the next generation.
    pub(super) fn start_generation(
        &mut self,
        text: std::fs::File,
        kept: &str,
        why: Why,
    ) -> io::Result<()> {
        self.last_generation += 1;
        let dowry = Dowry {
            generation: self.last_generation,
            incarnation: &self.incarnation,
            runtime_dir: Some(&self.config.host.runtime_dir),
            config: &self.config.file,
            text,
            kept,
            passed: &self.passed,
            life: &self.life_end,
            why,
            until: clock::after(clock::now(), self.config.reload.ready),
        };
        self.members.push(Member::start(&self.executable, dowry)?);
        Ok(())
    }

    /// With one generation more than may live, the oldest that finishes its sessions ends them now.
    fn make_room(&mut self) {
        let facts = self.active().and_then(|member| member.facts);
        let most = facts.map_or(self.config.reload.generations, |facts| facts.generations) as usize;
        let living = self.members.iter().filter(|member| member.is_living()).count();
        if living < most {
            return;
        }
        let Some(oldest) = self.members.iter().find(|m| m.role == Role::Retiring) else { return };
        log::warn(format!(
            "generation {} ends its sessions now: [reload] generations allows {most}",
            oldest.generation
        ));
        tell(oldest, Message::Drain { grace: 0, cause: Cause::Kicked as u32 });
    }

    /// The generation's zygote died: it goes on with the very same text and modules.
    pub(super) fn adopt(&mut self, dead: Box<Member>) -> Result<(), (Box<Member>, io::Error)> {
        let later = dead.later();
        let text = match dead.text.as_fd().try_clone_to_owned() {
            Ok(text) => text.into(),
            Err(e) => return Err((dead, e)),
        };
        let dowry = Dowry {
            generation: dead.generation,
            incarnation: &self.incarnation,
            runtime_dir: Some(&self.config.host.runtime_dir),
            config: &self.config.file,
            text,
            kept: &dead.plan,
            passed: &self.passed,
            life: &self.life_end,
            why: Why::Adoption(later),
            until: clock::after(clock::now(), self.config.reload.ready),
        };
        match Member::start(&self.executable, dowry) {
            Ok(mut member) => {
                // If this one dies, too, the next still has to load the same modules.
                (member.held, member.plan, member.listens) = (dead.held, dead.plan, dead.listens);
                let place = self.members.iter().position(|m| m.generation > member.generation);
                self.members.insert(place.unwrap_or(self.members.len()), member);
                Ok(())
            }
            Err(e) => Err((dead, e)),
        }
    }
}

fn refuse(client: Option<UnixStream>, why: &str) {
    match client {
        Some(client) => Reply::refused(format!("error: {why}\n")).send(&client),
        None => log::warn(format!("the reload was refused: {why}")),
    }
}
