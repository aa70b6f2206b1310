//! The function's side of Lambda: one piece of work comes in at a time, and what is said about it goes out.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;

use crate::domain::shared::time::Timestamp;

pub struct Message {
    pub id: String,
    pub body: String,
}

/// Serves until the machine is taken away. `handle` says which messages are not done: they come again, the others never.
pub async fn serve<F, Fut>(handle: F) -> Result<(), Error>
where
    F: Fn(Vec<Message>) -> Fut,
    Fut: Future<Output = Vec<String>>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let records = event.payload.records.into_iter();
        let messages = records
            .map(|record| Message { id: record.message_id.unwrap_or_default(), body: record.body.unwrap_or_default() });
        let mut response = SqsBatchResponse::default();
        for id in handle(messages.collect()).await {
            response.add_failure(id);
        }
        Ok::<_, Error>(response)
    }))
    .await
}

/// What a caller gets instead of an answer; when it did not wait for one, the call comes again.
#[derive(Debug)]
pub struct Failed {
    /// In one word.
    pub kind: &'static str,
    pub what: String,
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: failed.kind.to_owned(), error_message: failed.what }
    }
}

/// Serves until the machine is taken away. `handle` is told when it will be cut off.
pub async fn answer<F, Fut>(handle: F) -> Result<(), Error>
where
    F: Fn(Value, Timestamp) -> Fut,
    Fut: Future<Output = Result<Value, Failed>>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let ends_at = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
        handle(event.payload, Timestamp(ends_at)).await
    }))
    .await
}
