//! The daemon and the modules that are put under load: built by cargo, or named by the caller.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Where the programs lie.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The daemon.
    pub exeunt: PathBuf,
    /// The folder with the modules of the protocols and of the tests.
    pub modules: PathBuf,
}

impl Programs {
    /// Builds them, optimised, with the cargo that runs this program, into the folder beside it.
    ///
    /// # Errors
    ///
    /// They cannot be built.
    pub fn build() -> Result<Self> {
        let own = std::env::current_exe()?;
        let folder = own.parent().ok_or("the program lies in no folder")?.to_owned();
        let target = folder.parent().ok_or("the program lies in no target folder")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        for packages in
            [&["exeunt", "ftp", "echo"][..], &["mark00", "busy", "trace_a", "trace_c", "wishes"]]
        {
            let mut command = Command::new(&cargo);
            command.args(["build", "--release", "--quiet", "--target-dir"]).arg(target);
            command.args(packages.iter().flat_map(|package| ["-p", package]));
            command.arg("--manifest-path").arg(manifest());
            if !command.status()?.success() {
                return Err("the daemon cannot be built".into());
            }
        }
        let modules = target.join("release");
        Ok(Self { exeunt: modules.join("exeunt"), modules })
    }

    /// The file of a module.
    #[must_use]
    pub fn module(&self, name: &str) -> PathBuf {
        self.modules.join(format!("lib{name}.so"))
    }
}

fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml")
}
