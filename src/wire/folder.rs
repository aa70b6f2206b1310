//! A shop's folder: who may use it, and what is in it beside the two databases. Everything in it is for its owner only.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::app::receipts::keys::ReceiptKeys;
use crate::faces::tokens::TokenKeys;
use crate::kit::process::Failure;

const FACTS: &str = "shop.json";
const LOCK: &str = "lock";
const KEYS: &str = "token.keys";
const OPERATOR_PASSWORD: &str = "operator.password";
const RECEIPT_KEYS: &str = "receipt.keys";

/// What a running shop writes for programs that want to call it.
#[derive(Serialize, Deserialize)]
pub struct ShopFacts {
    pub url: String,
    pub inner_url: String,
    /// Lets its bearer give operators' commands.
    pub secret: String,
}

impl ShopFacts {
    /// Appears whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let draft = folder.join("shop.json.new");
        write_private(&draft, &serde_json::to_string(self)?)?;
        std::fs::rename(draft, folder.join(FACTS))?;
        Ok(())
    }

    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(folder.join(FACTS))
            .map_err(|error| format!("a shop runs on {} but does not say where: {error}", folder.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub fn remove(folder: &Path) {
        let _ = std::fs::remove_file(folder.join(FACTS));
    }
}

/// Held for as long as the folder is used; a killed shop's lock is gone with it.
pub struct FolderLock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

/// Makes the folder where there is none. Fails when another process has it.
pub fn lock(folder: &Path) -> Result<FolderLock, Failure> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    make_private(folder)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(format!("another shop runs on {}; it must end first", folder.display()).into())
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Also where it was there before: it holds passwords' hashes, addresses and keys. A folder that holds something else is left as it
/// is, and said.
fn make_private(folder: &Path) -> Result<(), Failure> {
    if std::fs::metadata(folder)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let is_ours = folder.join(LOCK).exists() || std::fs::read_dir(folder)?.next().is_none();
    if is_ours {
        return Ok(std::fs::set_permissions(folder, Permissions::from_mode(0o700))?);
    }
    tracing::warn!(folder = %folder.display(), "others may read the shop's folder, which holds other things; close it to them");
    Ok(())
}

/// The folder's own keys, made on first use.
pub fn token_keys(folder: &Path) -> Result<TokenKeys, Failure> {
    let path = folder.join(KEYS);
    let text = match kept(&path)? {
        Some(text) => text,
        None => format!("access:a1:{},checkout:c1:{}", random_hex(32)?, random_hex(32)?),
    };
    let text = text.trim();
    if text.contains("admission:") {
        return Ok(TokenKeys::parse(text)?);
    }
    // New, or of a shop from before there were admissions.
    let text = format!("{text},admission:d1:{}", random_hex(32)?);
    let keys = TokenKeys::parse(&text)?;
    let draft = folder.join("token.keys.new");
    write_private(&draft, &text)?;
    std::fs::rename(draft, path)?;
    Ok(keys)
}

/// The folder's own keys of receipts, made on first use. Without them every receipt can be printed anew, and the old ones are void.
pub fn receipt_keys(folder: &Path) -> Result<ReceiptKeys, Failure> {
    match kept_receipt_keys(folder)? {
        Some(keys) => Ok(keys),
        None => {
            let text = format!("r1:{}", random_hex(32)?);
            write_private(&folder.join(RECEIPT_KEYS), &text)?;
            Ok(ReceiptKeys::parse(&text)?)
        }
    }
}

/// The same, where there are some.
pub fn kept_receipt_keys(folder: &Path) -> Result<Option<ReceiptKeys>, Failure> {
    Ok(kept(&folder.join(RECEIPT_KEYS))?.map(|text| ReceiptKeys::parse(text.trim())).transpose()?)
}

/// The demo's operator's, made on first use.
pub fn operator_password(folder: &Path) -> std::io::Result<String> {
    let file = operator_password_file(folder);
    if let Some(text) = kept(&file)? {
        return Ok(text.trim().to_owned());
    }
    let password = random_hex(8)?;
    write_private(&file, &format!("{password}\n"))?;
    Ok(password)
}

pub fn operator_password_file(folder: &Path) -> PathBuf {
    folder.join(OPERATOR_PASSWORD)
}

pub fn random_hex(bytes: usize) -> std::io::Result<String> {
    let mut chance = vec![0u8; bytes];
    getrandom::fill(&mut chance).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(HEXLOWER.encode(&chance))
}

/// Nothing where there is no such file yet.
fn kept(path: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_its_shop_alone() {
        let place = tempfile::tempdir().unwrap();
        let mode = |folder: &Path| std::fs::metadata(folder).unwrap().permissions().mode() & 0o777;
        let open = |name: &str| {
            let folder = place.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
            folder
        };
        let (empty, shops, others) = (open("empty"), open("shops"), open("others"));
        std::fs::write(shops.join(LOCK), "").unwrap();
        std::fs::write(others.join("notes.txt"), "").unwrap();
        drop((lock(&empty).unwrap(), lock(&shops).unwrap(), lock(&place.path().join("new")).unwrap()));
        assert_eq!((mode(&empty), mode(&shops), mode(&place.path().join("new"))), (0o700, 0o700, 0o700));
        drop(lock(&others).unwrap());
        assert_eq!(mode(&others), 0o755, "what else is there is not ours to close");
    }
}
