//! Mail on its way out of the house: by SMTP, or into a folder as files that any mail program opens.
//!
//! Nothing here tries twice: the process that claimed the letter does.

pub mod folder;
mod mime;
pub mod smtp;

const PART: &str = "mail";
