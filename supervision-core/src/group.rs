//! One supervisor and its children: who is stopped and started, in which order, when one fails.

mod check;
mod message;
mod spec;

mod roster;

mod machine;

mod arrival;
mod failing;
mod request;
mod sequence;

pub use self::{
    check::{GroupRule, InvalidGroup, MAX_CHILD_ID},
    machine::{ChildStatus, Group},
    message::{
        ChildId, Command, DelayToken, EndReason, Exit, Incarnation, Input, Request, RequestError,
        RequestId, Verdict,
    },
    spec::{AutoShutdown, ChildSpec, GroupSpec, GroupStrategy, Shutdown},
};
