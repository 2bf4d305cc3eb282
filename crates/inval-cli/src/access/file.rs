//! The file of tokens: read with care for who else can, and changed as a whole or not at all.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use inval_core::access::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::moment::Moment;
use super::token::Fingerprint;

/// The most bytes that are read: many thousands of tokens.
const MOST_BYTES: u64 = 16 << 20;

/// What is kept of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) principal: Text<Name>,
    pub(super) roles: Vec<Text<Name>>,
    pub(super) sha256: Text<Fingerprint>,
    pub(super) created: Text<Moment>,
    /// From then on it is worth nothing; never if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Text<Moment>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    tokens: Vec<Record>,
}

/// A value that stands in the file as its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Why a file of secrets cannot be used. Shows nothing of what is in it.
#[derive(Debug, Error)]
pub(crate) enum TokenFileError {
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{}: others than its owner and group can read it, or others than its owner write it \
         (mode {mode:03o}); do chmod 600 {}", .path.display(), .path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{}: has more than {MOST_BYTES} bytes, which is too much", .0.display())]
    TooLarge(PathBuf),
    #[error(
        "{}:{line}:{column}: something here is not as `inval token` writes it; put it right, or begin a new file",
        .path.display()
    )]
    Malformed { path: PathBuf, line: usize, column: usize },
    #[error("{}: is there, so another `inval token` is at work; delete it if none is", .0.display())]
    Busy(PathBuf),
}

impl TokenFileError {
    /// Whether it is about what is in the file, or who can read it.
    pub(crate) fn is_invalid(&self) -> bool {
        !matches!(self, Self::Io { .. } | Self::Busy(_))
    }

    fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io { path: path.to_owned(), error }
    }
}

/// The text of a file that only its owner can write and no stranger can read.
pub(crate) fn read_private(path: &Path) -> Result<String, TokenFileError> {
    let io = TokenFileError::io(path);
    let file = File::open(path).map_err(&io)?;
    check_mode(path, &file)?;
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(&io)?;
    match text.len() as u64 > MOST_BYTES {
        true => Err(TokenFileError::TooLarge(path.to_owned())),
        false => Ok(text),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), TokenFileError> {
    use std::os::unix::fs::MetadataExt;
    let mode = file.metadata().map_err(TokenFileError::io(path))?.mode() & 0o777;
    match mode & 0o027 {
        0 => Ok(()),
        _ => Err(TokenFileError::Exposed { path: path.to_owned(), mode }),
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), TokenFileError> {
    Ok(())
}

/// All tokens of the file.
pub(super) fn read(path: &Path) -> Result<Vec<Record>, TokenFileError> {
    let text = read_private(path)?;
    let contents = serde_json::from_str::<Contents>(&text);
    contents.map(|contents| contents.tokens).map_err(|error| TokenFileError::Malformed {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}

/// Changes the tokens of the file, which is made if there is none. Whoever reads it meanwhile, or after a crash,
/// finds it as it was or as it is to be. After an error it is as it was.
pub(super) fn edit<T, E: From<TokenFileError>>(
    path: &Path,
    change: impl FnOnce(&mut Vec<Record>) -> Result<T, E>,
) -> Result<T, E> {
    let draft = Draft::begin(path)?;
    let mut tokens = match read(path) {
        Err(TokenFileError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            Vec::new()
        }
        tokens => tokens?,
    };
    let changed = change(&mut tokens)?;
    draft.finish(path, &Contents { tokens }).map_err(TokenFileError::io(path))?;
    Ok(changed)
}

/// The file as it is to be, beside the file as it is. While it is there nobody else changes the file.
struct Draft {
    path: PathBuf,
    file: File,
    has_moved: bool,
}

impl Draft {
    fn begin(path: &Path) -> Result<Self, TokenFileError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let path = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => Ok(Self { path, file, has_moved: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(TokenFileError::Busy(path))
            }
            Err(error) => Err(TokenFileError::Io { path, error }),
        }
    }

    fn finish(mut self, path: &Path, contents: &Contents) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.file, contents)?;
        self.file.write_all(b"\n")?;
        self.keep_owner(path)?;
        self.file.sync_all()?;
        fs::rename(&self.path, path)?;
        self.has_moved = true;
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        // Without it a crash may bring the old file back, which is whole.
        let _ = File::open(directory.unwrap_or(Path::new("."))).and_then(|file| file.sync_all());
        Ok(())
    }

    /// Gives it to whom the file belongs, who may be the daemon's user and not whoever runs this.
    #[cfg(unix)]
    fn keep_owner(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
        let Ok(old) = fs::metadata(path) else { return Ok(()) };
        let new = self.file.metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
        }
        self.file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o640))
    }

    #[cfg(not(unix))]
    fn keep_owner(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.has_moved {
            let _ = fs::remove_file(&self.path);
        }
    }
}
