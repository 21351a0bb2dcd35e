//! A node in production: one loop around one machine of the protocol.
//!
//! ```text
//!  users (handle, references)      engine (feeds, calls)        actors (hosted)
//!            |                            |                          |
//!            +------------ happened ------+--------------------------+
//!                                         v
//!                 driver: NodeMachine::handle(input, now) -> commands
//!                                         |
//!                      execute: store, letters, actors, users
//! ```

pub(crate) mod happened;
pub(crate) mod hosted;
pub(crate) mod profile;
pub(crate) mod shared;

pub(crate) mod handle;

mod actors;
mod calls;
mod driver;
mod execute;
mod feeds;
mod leaving;
mod orders;
