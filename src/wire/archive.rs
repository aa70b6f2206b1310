//! Where the Cluster world keeps receipts: in a bucket, or in a folder that all share.

use std::sync::Arc;

use crate::adapters::folder::FolderArchive;
use crate::kit::process::Failure;
use crate::ports::platform::archive::Archive;
use crate::wire::config::ArchiveConfig;

pub async fn open(config: &ArchiveConfig) -> Result<Arc<dyn Archive>, Failure> {
    if config.bucket.is_empty() { Ok(Arc::new(FolderArchive::new(&config.folder))) } else { bucket(config).await }
}

/// What a process that crashed left half written.
pub async fn clear_drafts(config: &ArchiveConfig) -> Result<(), Failure> {
    if config.bucket.is_empty() {
        FolderArchive::new(&config.folder).clear_drafts().await?;
    }
    Ok(())
}

#[cfg(feature = "aws")]
async fn bucket(config: &ArchiveConfig) -> Result<Arc<dyn Archive>, Failure> {
    use crate::adapters::aws;
    Ok(Arc::new(aws::s3::S3Archive::new(&aws::config().await, config.bucket.clone())))
}

#[cfg(not(feature = "aws"))]
async fn bucket(_: &ArchiveConfig) -> Result<Arc<dyn Archive>, Failure> {
    use crate::kit::work::settings::ConfigError;
    Err(ConfigError::new("archive.bucket is set, and this binary was built without the feature `aws`").into())
}
