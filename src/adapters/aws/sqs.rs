//! The queue of letters. A letter is in it when SQS says so; posted twice, it is delivered once, because the log of letters
//! knows it.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::fault;
use crate::ports::mail::transport::{EmailJob, MailQueue};
use crate::ports::{Fault, Result};

const PART: &str = "letters";
/// Of one call, as SQS has it.
const BATCH_MAX: usize = 10;
const BATCH_BYTES_MAX: usize = 256 * 1024;

pub struct SqsMailQueue {
    client: Client,
    queue_url: String,
}

impl SqsMailQueue {
    pub fn new(config: &SdkConfig, queue_url: String) -> Self {
        Self { client: Client::new(config), queue_url }
    }

    /// Of those that SQS did not take, one is enough to try them all again.
    async fn send(&self, bodies: &[String]) -> Result<()> {
        let entries = bodies.iter().enumerate().map(|(at, body)| {
            let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body);
            entry.build().map_err(|error| fault(PART, error))
        });
        let entries = entries.collect::<Result<Vec<_>>>()?;
        let call = self.client.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
        let sent = call.send().await.map_err(|error| fault(PART, error))?;
        match sent.failed().first() {
            None => Ok(()),
            Some(failed) => Err(Fault::new(PART, format!("{} were not taken: {}", sent.failed().len(), failed.code()))),
        }
    }
}

#[async_trait]
impl MailQueue for SqsMailQueue {
    async fn enqueue(&self, letters: &[EmailJob]) -> Result<()> {
        let mut batch: Vec<String> = Vec::new();
        let mut bytes = 0;
        for letter in letters {
            let body = serde_json::to_string(letter).map_err(|error| Fault::new(PART, error))?;
            if batch.len() == BATCH_MAX || (bytes + body.len() > BATCH_BYTES_MAX && !batch.is_empty()) {
                self.send(&batch).await?;
                batch.clear();
                bytes = 0;
            }
            bytes += body.len();
            batch.push(body);
        }
        if batch.is_empty() { Ok(()) } else { self.send(&batch).await }
    }
}
