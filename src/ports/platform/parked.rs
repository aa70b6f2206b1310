//! Messages that could not be decoded: kept for an operator, never dropped.

use async_trait::async_trait;

use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ParkedMessage {
    /// Where it was found, and where a replay sends it: a queue's name.
    pub queue: String,
    pub why: String,
    #[serde(with = "hex_bytes")]
    pub body: Vec<u8>,
}

#[async_trait]
pub trait Parked: Send + Sync + 'static {
    /// Leaves them where they are.
    async fn parked(&self, max: u32) -> Result<Vec<ParkedMessage>> {
        Ok(self.parked_after(0, max).await?.into_iter().map(|(_, message)| message).collect())
    }

    /// Each with its place, those after this one: places grow, from 1, and parking another message moves none.
    async fn parked_after(&self, after: u64, max: u32) -> Result<Vec<(u64, ParkedMessage)>>;

    /// Sends them back to where they were found; says how many.
    async fn replay(&self, max: u32) -> Result<u32>;
}

mod hex_bytes {
    use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        bytes.map_err(|_| D::Error::custom("bytes are pairs of hexadecimal digits"))
    }
}
