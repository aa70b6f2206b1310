//! The shop as people meet it: the real binary on a free port with its state in a temporary folder, and real browsers in
//! front of it. Stories are told one after the other; each has its own shop, its own ChromeDriver, its own browsers.

mod access;
mod admission;
mod api;
mod asking;
mod assets;
mod buying;
mod cloudfront;
mod codes;
mod desk;
mod door;
mod drafts;
mod factor;
mod fixture;
mod fleet;
mod keeping;
mod lacking;
mod letters;
mod lists;
mod money;
mod narrow;
mod proof;
mod roles;
mod sessions;
mod waiting;
mod window;
mod words;
