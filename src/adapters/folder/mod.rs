//! A folder of this machine.

mod archive;

pub use archive::FolderArchive;
