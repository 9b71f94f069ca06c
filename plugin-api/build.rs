//! Tells the crate which compiler builds it: the note of each module names it.

use std::io::Write;
use std::process::Command;

fn main() -> std::io::Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-V").output()?;
    let version = String::from_utf8_lossy(&output.stdout);
    let mut out = std::io::stdout().lock();
    writeln!(out, "cargo:rustc-env=EXEUNT_COMPILER={}", version.trim())?;
    writeln!(out, "cargo:rerun-if-changed=build.rs")
}
