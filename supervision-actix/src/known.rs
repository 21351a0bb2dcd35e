//! The error types every supervisor recognises behind a `Box<dyn Error>`.

use supervision_core::KnownErrors;

thread_local! {
    static STANDARD: KnownErrors = KnownErrors::standard()
        .with::<actix::MailboxError>()
        .with::<serde_json::Error>()
        .with::<tokio::task::JoinError>()
        .with::<tokio::time::error::Elapsed>()
        .with::<tokio::sync::oneshot::error::RecvError>()
        .with::<tokio::sync::AcquireError>()
        .with::<uuid::Error>();
}

/// Calls `f` with the actor's own types, tried first, and the standard ones.
pub(crate) fn with_standard<R>(
    own: [Option<&KnownErrors>; 2],
    f: impl FnOnce(&KnownErrors) -> R,
) -> R {
    let mut own = own
        .into_iter()
        .flatten()
        .filter(|known| !known.is_empty())
        .peekable();
    if own.peek().is_none() {
        return STANDARD.with(f);
    }
    let mut known = KnownErrors::none();
    own.for_each(|types| known.extend(types));
    STANDARD.with(|standard| known.extend(standard));
    f(&known)
}
