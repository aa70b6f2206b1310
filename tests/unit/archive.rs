//! Archives: the suite over a folder, and what is a folder's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use miaosha::adapters::folder::FolderArchive;
use miaosha::ports::platform::archive::Archive;
use tempfile::TempDir;

use crate::support::archive::over;

async fn folder() -> (FolderArchive, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (FolderArchive::new(&folder.path().join("archive")), folder)
}

over!(over_a_folder, super::folder());

#[tokio::test]
async fn a_key_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let archive = FolderArchive::new(&folder.path().join("archive"));
    fs::write(folder.path().join("outside"), b"not yours").unwrap();
    let long = "x".repeat(201);
    for key in ["../outside", "/outside", "", "a//b", "a/../../outside", ".hidden", "A", "a b", "a\0", long.as_str()] {
        for fault in [archive.get(key).await.map(drop), archive.put(key, vec![1]).await, archive.delete(key).await] {
            assert_eq!(fault.unwrap_err().part, "archive", "{key:?}");
        }
    }
    assert_eq!(fs::read(folder.path().join("outside")).unwrap(), b"not yours");
}

/// A process that crashes while writing leaves a draft that is not read, and that the next one removes.
#[tokio::test]
async fn a_draft_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let archive = FolderArchive::new(folder.path());
    archive.put("receipts/a", b"whole".to_vec()).await.unwrap();
    let draft = folder.path().join("receipts/.0123456789abcdef.part");
    fs::write(&draft, b"ha").unwrap();
    assert_eq!(archive.list("", None, 10).await.unwrap().len(), 1);
    let again = FolderArchive::new(folder.path());
    again.clear_drafts().await.unwrap();
    assert!(!draft.exists());
    assert_eq!(again.get("receipts/a").await.unwrap(), Some(b"whole".to_vec()));
    let mode = fs::metadata(folder.path().join("receipts/a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    FolderArchive::new(&folder.path().join("nowhere")).clear_drafts().await.unwrap();
}

/// A machine that stops leaves names without their bytes, or with some of them.
#[tokio::test]
async fn what_is_not_whole_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let archive = FolderArchive::new(folder.path());
    archive.put("k", b"a receipt".to_vec()).await.unwrap();
    let path = folder.path().join("k");
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[0] ^= 1;
    let zeros = vec![0; whole.len()];
    let broken: [&[u8]; 6] = [&[], &whole[..5], &whole[..whole.len() - 1], &changed, &zeros, b"a receipt"];
    for bytes in broken {
        fs::write(&path, bytes).unwrap();
        assert_eq!(archive.get("k").await.unwrap(), None, "{bytes:?}");
    }
    assert_eq!(archive.list("", None, 10).await.unwrap()[0].bytes, 0);
    archive.put("k", b"printed anew".to_vec()).await.unwrap();
    assert_eq!(archive.get("k").await.unwrap(), Some(b"printed anew".to_vec()));
}

const FULL: &str = "MIAOSHA_TEST_FULL_DISK";

/// What a full disk does, done by the system itself: a process that may write 8 KiB to a file writes that much and then meets an
/// error. The other half of the test is below, in that process.
#[tokio::test]
async fn a_full_disk_is_a_fault_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --ignored --exact archive::where_the_disk_is_full";
    let mut shell = tokio::process::Command::new("bash");
    let said = shell.args(["-c", script]).arg(own).env(FULL, folder.path()).output().await.unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("done")).unwrap(), "seen");
}

#[tokio::test]
#[ignore = "the half of a test that runs where files may not grow"]
async fn where_the_disk_is_full() {
    let Some(folder) = std::env::var_os(FULL) else { return };
    let folder = std::path::PathBuf::from(folder);
    let archive = FolderArchive::new(&folder);
    archive.put("k", b"old".to_vec()).await.unwrap();
    let fault = archive.put("k", vec![7; 20_000]).await.unwrap_err();
    assert_eq!(fault.part, "archive");
    assert_eq!(archive.get("k").await.unwrap(), Some(b"old".to_vec()));
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["k"]);
    fs::write(folder.join("done"), "seen").unwrap();
}
