//! The suite of archives over S3.

use miaosha::adapters::aws::s3::S3Archive;

use crate::support::archive::over;
use crate::support::moto::bucket;

async fn s3() -> (S3Archive, ()) {
    (bucket().await.1, ())
}

over!(over_s3, super::s3());
