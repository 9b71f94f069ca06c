//! Changes to a running daemon's modules and settings: right ones, and wrong ones that must be refused.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use crate::Result;
use crate::programs::Programs;
use crate::seed::Seed;
use crate::site::{Config, Site};

/// What stands before the number in the code of `mark00`.
const CODE: &[u8] = b"exeunt-storm-code-";
const DIGITS: usize = 10;
/// The name in the file that others take the place of.
const NAME: &[u8] = b"mark00";

/// How a file gets other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The bytes are written over those that are there.
    Overwrite,
    /// The file is emptied, then written.
    Truncate,
    /// The file is deleted, and another made.
    Delete,
    /// Another file is renamed over it.
    Rename,
}

/// All of them.
pub const WAYS: [Way; 4] = [Way::Overwrite, Way::Truncate, Way::Delete, Way::Rename];

/// Something wrong, and what the refusal has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub what: &'static str,
    /// A part of the reason.
    pub reason: &'static str,
}

/// All that is tried.
pub const WRONG: [Wrong; 13] = [
    Wrong { what: "empty", reason: "module `mark01` cannot be loaded" },
    Wrong { what: "half", reason: "module `mark01` cannot be loaded" },
    Wrong { what: "noise", reason: "module `mark01` cannot be loaded" },
    Wrong { what: "deleted", reason: "module `mark01` cannot be found" },
    Wrong { what: "another module", reason: "it holds the module `mark00`" },
    Wrong { what: "no module", reason: "module `mark01` cannot be loaded" },
    Wrong { what: "error", reason: "the settings say so" },
    Wrong { what: "panic", reason: "the settings say so" },
    Wrong { what: "abort", reason: "the init of module `mark01` was running" },
    Wrong { what: "exit", reason: "the init of module `mark01` was running" },
    Wrong { what: "unknown key", reason: "unheard" },
    Wrong { what: "no TOML", reason: "modules.toml:" },
    Wrong { what: "no module file", reason: "module `absent` cannot be found" },
];

/// The modules' files of a site.
#[derive(Debug)]
pub struct Modules {
    folder: PathBuf,
    mark: Vec<u8>,
    /// Where its number is, and where its name.
    code: usize,
    names: Vec<usize>,
    exeunt: PathBuf,
}

impl Modules {
    /// Puts the protocols' modules in place, and knows the one that is changed.
    ///
    /// # Errors
    ///
    /// They are not there, or are not what they should be.
    pub fn new(programs: &Programs, site: &Site) -> Result<Self> {
        let folder = site.path("modules");
        for name in ["ftp", "echo"] {
            fs::copy(programs.module(name), folder.join(format!("lib{name}.so")))?;
        }
        let mark = fs::read(programs.module("mark00"))?;
        let [code] = places(&mark, CODE)[..] else {
            return Err("the module mark00 does not hold its number once".into());
        };
        let (code, names) = (code + CODE.len(), places(&mark, NAME));
        Ok(Self { folder, mark, code, names, exeunt: programs.exeunt.clone() })
    }

    /// The content of the module `name` whose code has that number. The names have one length.
    #[must_use]
    pub fn image(&self, name: &str, number: u64) -> Vec<u8> {
        let mut image = self.mark.clone();
        let digits = format!("{number:0DIGITS$}");
        image[self.code..self.code + DIGITS].copy_from_slice(digits.as_bytes());
        for place in &self.names {
            image[*place..place + NAME.len()].copy_from_slice(name.as_bytes());
        }
        image
    }

    /// Gives the file of a module other content.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn put(&self, name: &str, way: Way, image: &[u8]) -> Result<()> {
        let path = self.path(name);
        match way {
            Way::Overwrite => {
                let mut file =
                    File::options().write(true).create(true).truncate(false).open(&path)?;
                file.write_all(image)?;
                file.set_len(image.len() as u64)?;
            }
            Way::Truncate => fs::write(&path, image)?,
            Way::Delete => {
                let _absent = fs::remove_file(&path);
                fs::write(&path, image)?;
            }
            Way::Rename => {
                let other = path.with_extension("new");
                fs::write(&other, image)?;
                fs::rename(other, &path)?;
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("lib{name}.so"))
    }

    /// Makes something wrong: the file of `mark01`, or the settings, which are written.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn spoil(&self, site: &Site, config: &Config, wrong: Wrong, seed: &mut Seed) -> Result<()> {
        let path = self.path("mark01");
        let way = *seed.pick(&WAYS);
        let image = self.image("mark01", config.number);
        let mut config = config.clone();
        match wrong.what {
            "empty" => fs::write(path, "")?,
            "half" => self.put("mark01", way, &image[..image.len() / 2])?,
            "noise" => self.put("mark01", way, &vec![b'#'; 5000])?,
            "deleted" => drop(fs::remove_file(path)),
            "another module" => self.put("mark01", way, &self.image("mark00", config.number))?,
            "no module" => self.put("mark01", way, &fs::read(&self.exeunt)?)?,
            "unknown key" => config.more = "unheard = 1".to_owned(),
            "no TOML" => config.tail = "[[module".to_owned(),
            "no module file" => config.tail = "[[module]]\nname = \"absent\"".to_owned(),
            fault => {
                self.put("mark01", way, &image)?;
                config.more = format!("fault = \"{fault}\"");
            }
        }
        site.configure(&config)
    }
}

fn places(within: &[u8], what: &[u8]) -> Vec<usize> {
    let all = within.windows(what.len()).enumerate();
    all.filter(|(_, window)| *window == what).map(|(place, _)| place).collect()
}
