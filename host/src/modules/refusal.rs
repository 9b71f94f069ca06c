//! What an operator reads when a module is refused. How it is printed is decided elsewhere.

use std::path::Path;

/// Why a module is not taken: a primary line in lower case (what could not be done and why), a
/// detail, a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What could not be done, and why.
    pub(crate) message: String,
    /// More about it, as the system or the module said it.
    pub(crate) detail: Option<String>,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Refusal {
    /// A refusal that is only its primary line.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), detail: None, hint: None }
    }

    /// The same with a detail.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Turns a reason ("it is not an ELF file") into a refusal of that module.
    pub(crate) fn of_module(mut self, name: &str, path: &Path) -> Self {
        let (path, why) = (path.display(), self.message);
        self.message = format!("module `{name}` cannot be loaded from {path}: {why}");
        self
    }
}

/// Text out of a module's file, safe to show: control characters escaped, cut at 60 characters.
pub(super) fn shown(text: &str) -> String {
    let escaped: String = text.chars().flat_map(char::escape_debug).take(60).collect();
    if escaped.chars().count() == 60 { format!("{escaped}…") } else { escaped }
}
