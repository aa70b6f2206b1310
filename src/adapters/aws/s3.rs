//! A bucket as an archive: S3 writes an object whole or not at all, and lists keys in their order.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;

use super::fault;
use crate::domain::shared::time::Timestamp;
use crate::ports::platform::archive::{Archive, Kept};
use crate::ports::{Fault, Result};

const PART: &str = "archive";
/// Of one call, as S3 has it.
const PAGE_MAX: u32 = 1_000;

#[derive(Clone)]
pub struct S3Archive {
    client: Client,
    bucket: String,
}

impl S3Archive {
    pub fn new(config: &SdkConfig, bucket: String) -> Self {
        // A bucket's name in the path works with every endpoint there is.
        let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self { client: Client::from_conf(config), bucket }
    }

    async fn page(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<Kept>> {
        let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).max_keys(max as i32);
        let page = call.set_start_after(after.map(str::to_owned)).send().await.map_err(|error| fault(PART, error))?;
        page.contents().iter().map(kept).collect()
    }
}

fn kept(object: &Object) -> Result<Kept> {
    let missing = || Fault::new(PART, "an object without a key or a time");
    let changed_at = object.last_modified().and_then(|at| at.to_millis().ok()).ok_or_else(missing)?;
    Ok(Kept {
        key: object.key().ok_or_else(missing)?.to_owned(),
        bytes: object.size().unwrap_or_default().max(0) as u64,
        kept_at: Timestamp(changed_at),
    })
}

#[async_trait]
impl Archive for S3Archive {
    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let call = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes));
        call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let found = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(found) => found,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(fault(PART, error)),
        };
        let bytes = found.body.collect().await.map_err(|error| fault(PART, error))?;
        Ok(Some(bytes.to_vec()))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key);
        call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<Kept>> {
        let mut all: Vec<Kept> = Vec::new();
        while (all.len() as u32) < max {
            let wanted = PAGE_MAX.min(max - all.len() as u32);
            let last = all.last().map(|kept| kept.key.clone());
            let page = self.page(prefix, last.as_deref().or(after), wanted).await?;
            let is_last = (page.len() as u32) < wanted;
            all.extend(page);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}
