//! The environment variables that change which code the dynamic loader and the C library run. A process
//! that loads modules starts without them.

use std::env;
use std::ffi::{OsStr, OsString};

/// Beginnings of names.
const FAMILIES: [&str; 2] = ["LD_", "MALLOC_"];
/// Whole names.
const NAMES: [&str; 5] = ["GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR"];

/// The ones of this process.
pub(crate) fn loader_variables() -> Vec<OsString> {
    env::vars_os().map(|(name, _)| name).filter(|name| is_for_the_loader(name)).collect()
}

fn is_for_the_loader(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    FAMILIES.iter().any(|begin| name.starts_with(begin)) || NAMES.contains(&&*name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redirects_the_loader_is_known() {
        for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES", "MALLOC_CHECK_"]
        {
            assert!(is_for_the_loader(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "EXEUNT_CONFIG", "LANG", "OLD_LD_PRELOAD"] {
            assert!(!is_for_the_loader(OsStr::new(name)), "{name}");
        }
    }
}
