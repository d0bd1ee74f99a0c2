//! A folder that is entered without following links, and whose files are replaced whole or not at all.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// No file is read beyond this size.
pub(crate) const LIMIT: u64 = 64 * 1024 * 1024;

/// The end of names of files that are being written.
const UNFINISHED: &str = ".aipolicy-tmp";

/// Something that could not be done with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: FileProblem,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It is a link, a pipe or a device, or a file where a folder should be. None of them is followed or opened.
    NotPlain,
    /// It is larger than any document may be.
    TooLarge,
    /// The machine said no.
    Machine(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            FileProblem::NotPlain => {
                write!(
                    formatter,
                    "`{path}` is a link or no plain file, and links are never followed: remove it"
                )
            }
            FileProblem::TooLarge => write!(formatter, "`{path}` is larger than {} MiB", LIMIT >> 20),
            FileProblem::Machine(reason) => write!(formatter, "`{path}`: {reason}"),
        }
    }
}

impl std::error::Error for FileError {}

/// An open folder. Everything in it is reached from its handle, so that no link can be slipped in between.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
}

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a folder that the user named; how it is reached is the user's affair.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, FileError> {
        match rustix::fs::open(path, FOLDER, Mode::empty()) {
            Ok(handle) => Ok(Some(Self { handle, path: path.into() })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(problem(path.into(), error)),
        }
    }

    /// Opens a folder that the user named, and makes it if it is missing.
    pub(crate) fn make(path: &Path) -> Result<Self, FileError> {
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        std::fs::create_dir_all(path).map_err(|error| machine(path.into(), &error))?;
        if let Some(parent) = path.parent().and_then(|parent| Self::open(parent).ok().flatten()) {
            parent.sync()?;
        }
        Self::open(path)?.ok_or_else(|| problem(path.into(), Errno::NOENT))
    }

    /// A folder in this one.
    pub(crate) fn child(&self, name: &str) -> Result<Option<Self>, FileError> {
        match rustix::fs::openat(&self.handle, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(handle) => Ok(Some(Self { handle, path: self.path.join(name) })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(problem(self.path.join(name), error)),
        }
    }

    /// A folder in this one, which is made if it is missing.
    pub(crate) fn make_child(&self, name: &str) -> Result<Self, FileError> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(problem(self.path.join(name), error)),
        }
        self.child(name)?.ok_or_else(|| problem(self.path.join(name), Errno::NOENT))
    }

    /// The whole of a file.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        let Some(file) = self.file(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(LIMIT + 1).read_to_end(&mut bytes);
        read.map_err(|error| machine(self.path.join(name), &error))?;
        if bytes.len() as u64 > LIMIT {
            return Err(FileError { path: self.path.join(name), problem: FileProblem::TooLarge });
        }
        Ok(Some(bytes))
    }

    /// A plain file, to be read.
    pub(crate) fn file(&self, name: &str) -> Result<Option<File>, FileError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => self.plain(handle, name).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(problem(self.path.join(name), error)),
        }
    }

    /// A plain file, to be read and written; it is made if it is missing.
    pub(crate) fn writable(&self, name: &str) -> Result<File, FileError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o644));
        self.plain(handle.map_err(|error| problem(self.path.join(name), error))?, name)
    }

    fn plain(&self, handle: OwnedFd, name: &str) -> Result<File, FileError> {
        let found = rustix::fs::fstat(&handle).map_err(|error| problem(self.path.join(name), error))?;
        if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
            return Ok(File::from(handle));
        }
        Err(FileError { path: self.path.join(name), problem: FileProblem::NotPlain })
    }

    /// Gives a file this content, at once and for good. A file that has it already is left alone.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        if self.read(name)?.is_some_and(|found| found == bytes) {
            return Ok(());
        }
        let unfinished = format!(".{name}{UNFINISHED}");
        self.unlink(&unfinished)?;
        let renamed = self.write_new(&unfinished, bytes).and_then(|()| {
            let renamed = rustix::fs::renameat(&self.handle, &*unfinished, &self.handle, name);
            renamed.map_err(|error| problem(self.path.join(name), error))
        });
        if renamed.is_err() {
            // A disk that is full has no room for what is of no use.
            let _stays_behind = self.unlink(&unfinished);
        }
        renamed?;
        self.sync()
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o644));
        let mut file = File::from(handle.map_err(|error| problem(self.path.join(name), error))?);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(|error| machine(self.path.join(name), &error))
    }

    /// Removes a file for good; one that is missing is fine.
    pub(crate) fn remove(&self, name: &str) -> Result<(), FileError> {
        self.unlink(name)?;
        self.sync()
    }

    fn unlink(&self, name: &str) -> Result<(), FileError> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(problem(self.path.join(name), error)),
        }
    }

    /// Removes what a writer that died left behind.
    pub(crate) fn sweep(&self) -> Result<(), FileError> {
        let left = |name: &String| name.starts_with('.') && name.ends_with(UNFINISHED);
        self.names()?.iter().filter(|name| left(name)).try_for_each(|name| self.unlink(name))
    }

    /// What is in the folder, by name; hidden names are left out, links and devices are refused.
    pub(crate) fn entries(&self) -> Result<Vec<(String, Kind)>, FileError> {
        let names = self.names()?.into_iter().filter(|name| !name.starts_with('.'));
        names
            .filter_map(|name| self.kind(&name).map(|kind| kind.map(|kind| (name, kind))).transpose())
            .collect()
    }

    /// Names that are no text are no names of ours, so they are left out.
    fn names(&self) -> Result<Vec<String>, FileError> {
        let failed = |error| problem(self.path.clone(), error);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle).map_err(failed)? {
            if let Ok(name) = entry.map_err(failed)?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// What a name stands for; nothing if it is gone meanwhile.
    fn kind(&self, name: &str) -> Result<Option<Kind>, FileError> {
        let found = match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(problem(self.path.join(name), error)),
        };
        let found = FileType::from_raw_mode(found.st_mode);
        let kinds = [(FileType::RegularFile, Kind::File), (FileType::Directory, Kind::Folder)];
        let kind = kinds.into_iter().find_map(|(known, kind)| (known == found).then_some(kind));
        let not_plain = || FileError { path: self.path.join(name), problem: FileProblem::NotPlain };
        kind.map(Some).ok_or_else(not_plain)
    }

    /// Tells whether a name still leads to an open file.
    pub(crate) fn leads_to(&self, name: &str, file: &File) -> bool {
        let named = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
        let open = rustix::fs::fstat(file);
        matches!((named, open), (Ok(named), Ok(open)) if (named.st_dev, named.st_ino) == (open.st_dev, open.st_ino))
    }

    /// Where the folder is, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The handle, to lock it.
    pub(crate) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// Makes names in the folder durable.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        rustix::fs::fsync(&self.handle).map_err(|error| problem(self.path.clone(), error))
    }
}

/// What the machine said about a path. A link where none is followed is told by one of two numbers.
pub(crate) fn problem(path: PathBuf, error: Errno) -> FileError {
    match error {
        Errno::LOOP | Errno::NOTDIR | Errno::NXIO => FileError { path, problem: FileProblem::NotPlain },
        other => machine(path, &other.into()),
    }
}

pub(crate) fn machine(path: PathBuf, error: &std::io::Error) -> FileError {
    FileError { path, problem: FileProblem::Machine(error.to_string()) }
}
