//! What happens, told in the order in which it happens, so that two runs can be compared.

use std::{fmt, sync::Arc};

use supervision_core::Timestamp;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraceEvent {
    /// When, since the engine was made.
    pub at: Timestamp,
    /// The node that did it or that it happened to; empty for the store itself.
    pub node: Arc<str>,
    /// What.
    pub step: Step,
    /// The key, prefix, subject or other node that it is about; empty if none.
    pub about: Arc<str>,
    /// A revision, or a digest of the bytes that were sent; 0 if neither.
    pub number: u64,
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            node,
            step,
            about,
            number,
        } = self;
        let (seconds, nanos) = (at.as_nanos() / 1_000_000_000, at.as_nanos() % 1_000_000_000);
        write!(f, "{seconds}.{nanos:09} {node} {step:?} {about} {number}")
    }
}

/// The kinds of things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each is named after the call or the fault; Stats describes them"
)]
pub enum Step {
    Connect,
    Get,
    Write,
    Delete,
    Scan,
    Watch,
    Request,
    Serve,
    Publish,
    Reply,
    Commit,
    Conflict,
    Expire,
    ForgetMarker,
    Deliver,
    NoResponders,
    Lose,
    Cut,
    Duplicate,
    Reorder,
    MeetOutage,
    MeetNoLeader,
    Refuse,
    CommitLate,
    ShowPast,
    TellChange,
    Interrupt,
    Overflow,
    Pause,
    Resume,
    Crash,
    CutLink,
    HealLink,
    BeginOutage,
    EndOutage,
    LoseLeader,
    FindLeader,
    ReplaceStore,
}

/// A digest of bytes (FNV-1a), to tell different ones apart in a trace.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
