//! Which file a module's name stands for. Nothing is opened or judged here.

use std::fs;
use std::path::{Path, PathBuf};

use super::Refusal;

/// Where modules are looked for if `modules.toml` does not say: the folder of the executable, then
/// `../lib/exeunt` beside it.
pub(crate) fn default_dirs(executable: &Path) -> Vec<PathBuf> {
    let Some(own) = executable.parent() else { return Vec::new() };
    let mut dirs = vec![own.to_owned()];
    dirs.extend(own.parent().map(|above| above.join("lib/exeunt")));
    dirs
}

/// The file of the module `name`: `file` if the operator named one, else `lib<name>.so` in the first
/// of `dirs` that has it.
pub(crate) fn find(name: &str, file: Option<&Path>, dirs: &[PathBuf]) -> Result<PathBuf, Refusal> {
    if let Some(file) = file {
        return match fs::metadata(file) {
            Ok(_) => Ok(file.to_owned()),
            Err(error) => Err(Refusal::new(format!(
                "module `{name}` cannot be found: its file {} cannot be reached",
                file.display()
            ))
            .detail(error.to_string())),
        };
    }
    let file_name = format!("lib{name}.so");
    let found = dirs.iter().map(|dir| dir.join(&file_name)).find(|path| path.exists());
    found.ok_or_else(|| missing(name, &file_name, dirs))
}

fn missing(name: &str, file_name: &str, dirs: &[PathBuf]) -> Refusal {
    let looked: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let refusal = Refusal::new(format!(
        "module `{name}` cannot be found: no module folder holds {file_name}"
    ))
    .detail(format!("looked in {}", looked.join(", ")));
    match nearest(name, dirs) {
        Some(near) => refusal.hint(format!("there is a module `{near}`; did you mean that?")),
        None => refusal.hint("build it, or name its file with `file = \"...\"`"),
    }
}

/// The name of a module in `dirs` that `name` may be a slip for.
fn nearest(name: &str, dirs: &[PathBuf]) -> Option<String> {
    let files = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
    files
        .filter_map(|entry| {
            let file_name = entry.file_name().into_string().ok()?;
            Some(file_name.strip_prefix("lib")?.strip_suffix(".so")?.to_owned())
        })
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .filter(|(distance, other)| *distance <= 2 && *distance < other.len())
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(dir.path().join(file), "").unwrap();
        }
        dir
    }

    #[test]
    fn the_first_folder_that_has_it_wins() {
        let (empty, one, two) =
            (folder_with(&[]), folder_with(&["libftp.so"]), folder_with(&["libftp.so"]));
        let dirs = [empty.path().to_owned(), one.path().to_owned(), two.path().to_owned()];
        assert_eq!(find("ftp", None, &dirs), Ok(one.path().join("libftp.so")));
    }

    #[test]
    fn a_missing_module_is_refused_with_the_folders_and_the_nearest_name() {
        let dir = folder_with(&["libftp.so", "libecho.so"]);
        let refusal = find("fpt", None, &[dir.path().to_owned()]).unwrap_err();
        assert_eq!(
            refusal.message,
            "module `fpt` cannot be found: no module folder holds libfpt.so"
        );
        assert_eq!(refusal.detail.unwrap(), format!("looked in {}", dir.path().display()));
        assert_eq!(refusal.hint.unwrap(), "there is a module `ftp`; did you mean that?");
    }

    #[test]
    fn a_file_that_was_named_is_never_looked_for_elsewhere() {
        let dir = folder_with(&["libftp.so"]);
        let named = dir.path().join("other.so");
        let refusal = find("ftp", Some(&named), &[dir.path().to_owned()]).unwrap_err();
        assert!(refusal.message.ends_with("other.so cannot be reached"), "{}", refusal.message);
        assert!(refusal.detail.unwrap().contains("No such file"));
    }

    #[test]
    fn the_default_folders_lie_around_the_executable() {
        let dirs = default_dirs(Path::new("/usr/bin/exeunt"));
        assert_eq!(dirs, [PathBuf::from("/usr/bin"), PathBuf::from("/usr/lib/exeunt")]);
    }
}
