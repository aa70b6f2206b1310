//! Loops over queues and ticks. A worker names ports and use cases, never an adapter or a face.

pub mod consumer;
pub mod mailer;
pub mod payment_consumer;
pub mod relay;
pub mod tender;
pub mod warmer;
