//! The `modules.toml` of a daemon under test, as text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The modules that write what was entered into a file.
const TRACING: [&str; 7] =
    ["trace_a", "trace_b", "trace_c", "misbehave", "deny", "hooks", "wishes"];

/// What is to stand in a `modules.toml`.
#[derive(Default)]
pub(super) struct Config {
    pub(super) modules: Vec<Module>,
    pub(super) listens: Vec<Listen>,
    pub(super) tables: Vec<(&'static str, String)>,
}

pub(super) struct Module {
    pub(super) name: String,
    pub(super) file: Option<PathBuf>,
    pub(super) keys: String,
    pub(super) config: String,
}

pub(super) struct Listen {
    pub(super) protocol: String,
    /// A free port of this machine if there is none.
    pub(super) address: Option<String>,
    pub(super) config: String,
}

impl Config {
    /// The text, with these ports for the listens.
    pub(super) fn text(&self, ports: &[u16], trace: &Path) -> String {
        let mut text = String::new();
        for table in ["host", "limits", "timeouts", "exit", "reload", "log"] {
            let of_it = self.tables.iter().filter(|(name, _)| *name == table);
            let lines: Vec<_> = of_it.map(|(_, lines)| &**lines).collect();
            let _ = writeln!(text, "[{table}]\n{}", lines.join("\n"));
            if table == "host" {
                text.push_str(&self.host(&lines));
            }
        }
        for (Listen { protocol, address, config }, port) in self.listens.iter().zip(ports) {
            let address = address.clone().unwrap_or_else(|| format!("127.0.0.1:{port}"));
            let _ = writeln!(text, "[[listen]]\nname = \"{protocol}\"\nprotocol = \"{protocol}\"");
            let _ = writeln!(text, "address = \"{address}\"\n[listen.config]\n{config}");
        }
        self.modules.iter().for_each(|module| text.push_str(&module.text(trace)));
        for Listen { protocol, .. } in &self.listens {
            if !self.modules.iter().any(|module| module.name == *protocol) {
                text.push_str(&Module::bare(protocol).text(trace));
            }
        }
        text
    }

    /// Where the daemon lives, and the modules that were built for the tests.
    fn host(&self, lines: &[&str]) -> String {
        let mut text = "runtime_dir = \"run\"\nstate_dir = \"state\"\n".to_owned();
        if !lines.iter().any(|line| line.contains("module_dirs")) {
            let _ = writeln!(text, "module_dirs = [\"{}\"]", built().display());
        }
        text
    }
}

impl Module {
    fn bare(name: &str) -> Self {
        Self { name: name.to_owned(), file: None, keys: String::new(), config: String::new() }
    }

    fn text(&self, trace: &Path) -> String {
        let Self { name, file, keys, config } = self;
        let mut text = format!("[[module]]\nname = \"{name}\"\n{keys}\n");
        if let Some(file) = file {
            let _ = writeln!(text, "file = \"{}\"", file.display());
        }
        let _ = writeln!(text, "[module.config]\n{config}");
        if TRACING.contains(&&**name) && !config.contains("trace =") {
            let _ = writeln!(text, "trace = \"{}\"", trace.display());
        }
        text
    }
}

/// The folder with the modules that cargo built for these tests.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    test.parent().expect("it lies in a folder").to_owned()
}

/// The file of a module that cargo built for these tests.
pub(crate) fn library(module: &str) -> PathBuf {
    built().join(format!("lib{module}.so"))
}
