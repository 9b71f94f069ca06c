//! `exeunt module pin`: writes the sum of each module's present file into the configuration, and
//! leaves everything else in it as it was: comments, order, spaces.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use toml_edit::{DocumentMut, value};

use super::{configuration, file_of, refused, short, show};
use crate::cli::Streams;
use crate::cli::refusal::{ExitStatus, Failure, Refusal};
use crate::config::{Config, Problem, Source};
use crate::modules;

/// Pins the named modules, or all that are enabled.
pub(super) fn run(
    config: Option<&Path>,
    names: &[String],
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (source, config) = configuration(config)?;
    let sums = sums(&config, names)?;
    let text = pinned(&source, &sums)?;
    if text != source.text {
        replace(&config.file, &text).map_err(|e| {
            let file = config.file.display();
            Refusal::failed(format!("the pins cannot be written to {file}"), &e)
        })?;
    }
    let row = |(name, sum): &(String, String)| {
        let before = config.modules.iter().find(|m| m.name == *name).and_then(|m| m.sha256.clone());
        let what = match before {
            None => "pinned",
            Some(before) if before == *sum => "unchanged",
            Some(_) => "pinned anew",
        };
        [show::escape(name), short(sum), what.to_owned()]
    };
    streams.say(&show::columns("", &sums.iter().map(row).collect::<Vec<_>>()))
}

/// The sum of each module that is to be pinned. One that would be refused is not pinned.
fn sums(config: &Config, names: &[String]) -> Result<Vec<(String, String)>, Refusal> {
    if let Some(name) = names.iter().find(|name| config.modules.iter().all(|m| m.name != **name)) {
        let problem = Problem::new(format!("there is no module `{name}` in the configuration"));
        return Err(Refusal::new(ExitStatus::No, &problem.hint("`exeunt module list` shows them")));
    }
    let wanted = |module: &&crate::config::Module| {
        if names.is_empty() { module.enabled } else { names.contains(&module.name) }
    };
    let sum = |module: &crate::config::Module| {
        let file = file_of(module, config).map_err(refused)?;
        let staged = modules::stage(&module.name, &file, None).map_err(refused)?;
        Ok((module.name.clone(), staged.sha256))
    };
    config.modules.iter().filter(wanted).map(sum).collect()
}

/// The text with the pins in it.
fn pinned(source: &Source, sums: &[(String, String)]) -> Result<String, Refusal> {
    let impossible = |why: String| {
        let problem = Problem::new(format!("the pins cannot be written: {why}"));
        Refusal::new(ExitStatus::No, &problem.hint("write `sha256 = \"...\"` by hand"))
    };
    let mut document: DocumentMut =
        source.text.parse().map_err(|e: toml_edit::TomlError| impossible(e.to_string()))?;
    let modules = document.get_mut("module").and_then(|modules| modules.as_array_of_tables_mut());
    let modules =
        modules.ok_or_else(|| impossible("the modules are no [[module]] tables".into()))?;
    for table in modules.iter_mut() {
        let name = table.get("name").and_then(|name| name.as_str());
        let sum = sums.iter().find(|(module, _)| name == Some(module));
        let Some((_, sum)) = sum else { continue };
        match table.get_mut("sha256").and_then(|pin| pin.as_value_mut()) {
            // What stands around a value, a comment for instance, belongs to it.
            Some(pin) => {
                let around = pin.decor().clone();
                *pin = sum.as_str().into();
                *pin.decor_mut() = around;
            }
            None => drop(table.insert("sha256", value(sum.as_str()))),
        }
    }
    Ok(document.to_string())
}

/// Replaces a file at one stroke, with the owner and the mode that it had.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let about = fs::metadata(&file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let temporary = file.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = || {
        let mut fresh = File::create_new(&temporary)?;
        fresh.write_all(text.as_bytes())?;
        fresh.set_permissions(about.permissions())?;
        let own = fresh.metadata()?;
        if (own.uid(), own.gid()) != (about.uid(), about.gid()) {
            chown(&temporary, Some(about.uid()), Some(about.gid()))?;
        }
        fresh.sync_all()?;
        fs::rename(&temporary, &file)
    };
    written().inspect_err(|_| drop(fs::remove_file(&temporary)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> String {
        let source = Source { path: "m.toml".into(), text: text.to_owned() };
        let sums = [("a".to_owned(), "11".to_owned()), ("b".to_owned(), "22".to_owned())];
        pinned(&source, &sums).unwrap()
    }

    #[test]
    fn a_pin_changes_nothing_else() {
        let before = "\
# The modules.
[[module]]   # the first
name = \"a\"    # its name
[module.config]
x = 1  # one

# The second.
[[module]]
name = 'b'
sha256 = \"old\"   # of May
config.y = [ 1,2 ]
";
        let after = before
            .replace("# its name\n", "# its name\nsha256 = \"11\"\n")
            .replace("\"old\"", "\"22\"");
        assert_eq!(pin(before), after);
        assert_eq!(pin(&after), after);
    }

    #[test]
    fn a_module_that_is_not_to_be_pinned_stays() {
        let text = "[[module]]\nname = \"c\"\n";
        assert_eq!(pin(text), text);
    }

    #[test]
    fn a_file_keeps_its_mode_and_leaves_nothing_beside_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
