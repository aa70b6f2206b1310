//! What the fleet does. Services see ports, never adapters.

pub mod audit;
pub mod consumer;
pub mod gateway;
pub mod mailer;
pub mod news;
pub mod operator;
pub mod patience;
pub mod payable;
pub mod payments;
pub mod publisher;
pub mod question;
pub mod receipts;
pub mod relay;
pub mod restore;
pub mod serve;
pub mod tell;
pub mod ticks;
pub mod traced;
pub mod turns;
pub mod warmer;
