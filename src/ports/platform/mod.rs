//! What every subject's services need of the machine: time, files, a broker, requests made twice, and faults on purpose.

pub mod archive;
pub mod clock;
pub mod events;
pub mod fault;
pub mod idempotency;
pub mod lag;
pub mod outbox;
pub mod parked;
pub mod tasks;
