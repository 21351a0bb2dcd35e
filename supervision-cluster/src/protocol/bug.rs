//! Mistakes that can be switched on in the machines, so that tests can show that the checks find
//! them. Without the feature `planted-bugs` every switch is the constant `false`.

/// A rule of the protocol, left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "planted-bugs"), allow(dead_code))]
pub enum Bug {
    /// A node goes on after its lease has run out.
    NoSelfFence,
    /// The holder counts its lease from the receipt of the answer.
    LeaseFromReceipt,
    /// An observer counts from before it saw the renewal.
    ObservedFromSend,
    /// An observer declares a node dead before that one is sure to have stopped.
    MarginTooSmall,
    /// An observer takes silence for death, without making later renewals fail.
    TakeOverOnHint,
    /// A new owner starts without sealing the checkpoint.
    NoSeal,
    /// A seal is written over a later one.
    SealOverLater,
    /// What is sealed and started from was read before the seal that failed.
    StaleSeal,
    /// A path is taken again without a new epoch.
    NoNewEpoch,
    /// A write that is not known to have failed is taken as failed.
    UnknownMeansFailed,
    /// After a lost answer the record is written over whatever stands there.
    BlindRepeat,
    /// A caller takes an answer whatever its epoch.
    AnswerOfAnyEpoch,
    /// An owner handles requests that were meant for another activation.
    RequestOfAnyEpoch,
    /// A durable actor's answers leave before its checkpoint stands.
    AnswerBeforeCommit,
    /// The table of requests is left behind in a move.
    TableLeftBehind,
    /// Held messages are dropped in a move.
    HeldDropped,
    /// An actor is packed while it still handles messages.
    PackedTooEarly,
    /// The old owner forgets the actor before the new one has answered.
    ForgottenTooEarly,
    /// A fenced node joins again as the same boot.
    BootUsedAgain,
    /// Copies of a request are not recognised.
    NoTable,
    /// Copies of a letter are taken like the letter itself.
    CopiesTaken,
    /// A boot is taken for gone because another one of its node was seen, whenever that one was.
    EarlierBootIsGone,
    /// A path is given to a boot that was never seen to have joined.
    GivenToStrangers,
    /// An actor without checkpoint is started on the word of a letter alone.
    TakenOnTrust,
    /// A request is applied though its caller is gone, and may have been forgotten.
    PastCallersServed,
    /// A boot whose lease was given up, and stands after all, joins again.
    JoinedTwice,
    /// A caller believes a node about a message that it has sent to another.
    WordOfAnybody,
    /// A message of unknown fate is sent to a later activation against its sender's will.
    DoubtForgotten,
    /// A message of unknown fate is told to be refused.
    RefusedInDoubt,
    /// A path that has ended, or is parked, is claimed like one whose owner was lost.
    ParkedClaimed,
    /// The table forgets callers that still live.
    LivingForgotten,
}

#[cfg(feature = "planted-bugs")]
impl Bug {
    /// Every one of them.
    pub const ALL: [Self; 31] = [
        Self::NoSelfFence,
        Self::LeaseFromReceipt,
        Self::ObservedFromSend,
        Self::MarginTooSmall,
        Self::TakeOverOnHint,
        Self::NoSeal,
        Self::SealOverLater,
        Self::StaleSeal,
        Self::NoNewEpoch,
        Self::UnknownMeansFailed,
        Self::BlindRepeat,
        Self::AnswerOfAnyEpoch,
        Self::RequestOfAnyEpoch,
        Self::AnswerBeforeCommit,
        Self::TableLeftBehind,
        Self::HeldDropped,
        Self::PackedTooEarly,
        Self::ForgottenTooEarly,
        Self::BootUsedAgain,
        Self::NoTable,
        Self::CopiesTaken,
        Self::EarlierBootIsGone,
        Self::GivenToStrangers,
        Self::TakenOnTrust,
        Self::PastCallersServed,
        Self::JoinedTwice,
        Self::WordOfAnybody,
        Self::DoubtForgotten,
        Self::RefusedInDoubt,
        Self::ParkedClaimed,
        Self::LivingForgotten,
    ];
}

/// Which of them are switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bugs(#[cfg(feature = "planted-bugs")] Option<Bug>);

impl Bugs {
    /// This one only.
    #[cfg(feature = "planted-bugs")]
    pub const fn only(bug: Bug) -> Self {
        Self(Some(bug))
    }

    #[cfg(feature = "planted-bugs")]
    pub(crate) fn has(self, bug: Bug) -> bool {
        self.0 == Some(bug)
    }

    #[cfg(not(feature = "planted-bugs"))]
    pub(crate) const fn has(self, _: Bug) -> bool {
        false
    }
}
