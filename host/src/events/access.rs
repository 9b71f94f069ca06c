//! What modules declared that they need of the file system. What is made of it is `confine`'s business.

use std::path::PathBuf;

use exeunt_api::abi::Access;
use serde_json::{Value, json};

use super::plan::Plan;
use super::registry::Registry;

/// Something that a module may touch in sessions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// The index of the module.
    pub(crate) module: usize,
    pub(crate) access: Access,
    pub(crate) path: PathBuf,
}

impl Registry {
    /// Notes what the module may touch; once is enough.
    pub(crate) fn allow(&mut self, access: Access, path: PathBuf) {
        let (module, _) = self.module();
        let new = Allowed { module, access, path };
        if !self.extras.allowed.contains(&new) {
            self.extras.allowed.push(new);
        }
    }
}

impl Plan {
    /// What modules declared, for those who ask.
    pub(super) fn allowed_json(&self) -> Value {
        let name = |access| match access {
            Access::Read => "read",
            Access::Write => "write",
            Access::Run => "run",
        };
        let one = |allowed: &Allowed| {
            let Allowed { module, access, path } = allowed;
            let module = &self.modules[*module].name;
            json!({"module": module, "access": name(*access), "path": path.to_string_lossy()})
        };
        self.extras.allowed.iter().map(one).collect()
    }
}
