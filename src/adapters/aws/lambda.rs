//! The function's side of Lambda: batches of a queue's messages come in, and the ids of those that must come again go out.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};

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
