//! The protocol under attack: the production machines in a world of lost answers, late writes, copied
//! messages, crashes, pauses and clocks that disagree.

mod actor;
mod bugs;
mod check;
mod finish;
mod happening;
mod setup;
mod store;
mod told;
mod walk;
mod weather;
mod world;
