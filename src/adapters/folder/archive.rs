//! An archive in a folder: a file each, with its SHA-256 behind it. What is put appears whole or not at all: it is written beside
//! its place under a name that is never listed, and then renamed.
//!
//! Nothing is synced: each sync makes all that wait for the disk, and that is the queue of a running sale, wait for one more. A
//! machine that stops may leave a name whose bytes never reached the disk; the sum tells, and what it refuses is not there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::domain::shared::time::Timestamp;
use crate::ports::platform::archive::{Archive, Kept};
use crate::ports::{Fault, Result};

const PART: &str = "archive";
/// How a draft's name ends; it begins with a dot.
const DRAFT: &str = ".part";
const KEY_BYTES_MAX: usize = 200;
const SUM_BYTES: usize = 32;

#[derive(Clone)]
pub struct FolderArchive {
    folder: Arc<Path>,
}

impl FolderArchive {
    /// The folder is made when something is put into it.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// Clears away what a process left that crashed while it wrote. A process that writes just then meets a fault and tries
    /// again.
    pub async fn clear_drafts(&self) -> Result<()> {
        let clear = |path: &Path, name: &str| {
            if name.starts_with('.') && name.ends_with(DRAFT) { fs::remove_file(path) } else { Ok(()) }
        };
        self.blocking(move |folder| walk(folder, &mut { clear })).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.folder.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.map_err(|error| Fault::new(PART, error))?.map_err(|error| Fault::new(PART, error))
    }
}

#[async_trait]
impl Archive for FolderArchive {
    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let place = place(key)?;
        self.blocking(move |folder| put(&folder.join(place), &bytes)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let place = place(key)?;
        let read = self.blocking(move |folder| found(fs::read(folder.join(place)))).await?;
        Ok(read.and_then(|bytes| whole(key, bytes)))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let place = place(key)?;
        self.blocking(move |folder| found(fs::remove_file(folder.join(place))).map(|_| ())).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<Kept>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.blocking(move |folder| list(folder, &prefix, after.as_deref(), max)).await
    }
}

/// Where a key's file is, below the folder. A key that could lead elsewhere is none.
fn place(key: &str) -> Result<PathBuf> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/');
    let steps = || key.split('/').all(|step| !step.is_empty() && !step.starts_with('.'));
    if key.len() > KEY_BYTES_MAX || !key.bytes().all(plain) || !steps() {
        return Err(Fault::new(PART, format!("{key:?} is no key of an archive")));
    }
    Ok(PathBuf::from(key))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().expect("a key has a folder above it");
    make_folder(parent)?;
    let chance = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    let draft = parent.join(format!(".{chance:016x}{DRAFT}"));
    let written = write(&draft, bytes).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // A full disk is not helped by half a file.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    file.write_all(&Sha256::digest(bytes))
}

/// What was put, if it is all there and nothing else.
fn whole(key: &str, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let sum = bytes.split_off(bytes.len().saturating_sub(SUM_BYTES));
    if *Sha256::digest(&bytes) != *sum {
        tracing::warn!(key, "an archived file fails its checksum and counts as lost");
        return None;
    }
    Some(bytes)
}

fn found<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn list(folder: &Path, prefix: &str, after: Option<&str>, max: u32) -> io::Result<Vec<Kept>> {
    let mut keys: Vec<String> = Vec::new();
    walk(folder, &mut |path, name| {
        let key = path.strip_prefix(folder).ok().and_then(Path::to_str);
        if let Some(key) = key.filter(|_| !name.starts_with('.'))
            && key.starts_with(prefix)
            && after.is_none_or(|after| key > after)
        {
            keys.push(key.to_owned());
        }
        Ok(())
    })?;
    keys.sort_unstable();
    keys.truncate(max as usize);
    let mut page = Vec::with_capacity(keys.len());
    for key in keys {
        // It may have been deleted meanwhile.
        if let Some(facts) = found(fs::metadata(folder.join(&key)))? {
            let since = facts.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            let bytes = facts.len().saturating_sub(SUM_BYTES as u64);
            page.push(Kept { key, bytes, kept_at: Timestamp(since.as_millis() as i64) });
        }
    }
    Ok(page)
}

/// Every file below the folder, in no order.
fn walk(folder: &Path, see: &mut impl FnMut(&Path, &str) -> io::Result<()>) -> io::Result<()> {
    let Some(entries) = found(fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), see)?;
        } else if let Some(name) = entry.file_name().to_str() {
            found(see(&entry.path(), name))?;
        }
    }
    Ok(())
}
