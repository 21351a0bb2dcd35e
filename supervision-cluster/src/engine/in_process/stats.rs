//! What was asked of the engine and what it did to those who asked, counted.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts of calls, of what came of them, and of the faults that were injected.
        ///
        /// Of one node, or summed over all of them and the store's own ([`expired`](Self::expired)).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl std::ops::AddAssign<&Self> for Stats {
            fn add_assign(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }

        impl std::ops::Sub<&Self> for &Stats {
            type Output = Stats;

            /// What was counted since `earlier`.
            fn sub(self, earlier: &Self) -> Stats {
                Stats { $($name: self.$name.saturating_sub(earlier.$name),)* }
            }
        }
    };
}

counters! {
    /// Calls of `get`.
    gets,
    /// Calls of `write`.
    writes,
    /// Calls of `delete`.
    deletes,
    /// Calls of `scan`.
    scans,
    /// Pages of scans that were read, the first one of each included.
    scan_pages,
    /// Calls of `watch`.
    watches,
    /// Calls of `request`.
    requests,
    /// Calls of `serve`.
    serves,
    /// Calls of `publish`.
    publishes,
    /// Replies sent.
    replies,

    /// Writes and deletions that happened.
    committed,
    /// Writes and deletions that found their key not as expected.
    conflicts,
    /// Writes and deletions that their caller had to give up as unknown.
    unknown,
    /// Other calls to the store that timed out.
    timeouts,
    /// Requests that found nobody to serve them, or were told so.
    no_responders,
    /// Requests that brought no reply in time.
    unanswered,
    /// Messages taken by those who serve.
    delivered,
    /// Events told by watches, `CaughtUp` and `Interrupted` included.
    watch_events,
    /// Entries that expired. The store's own.
    expired,

    /// Ways that took time.
    delayed,
    /// Messages, calls and answers lost by chance.
    lost,
    /// Messages that arrived twice.
    duplicated,
    /// Messages, calls and answers that others could overtake.
    reordered,
    /// Messages, calls and answers lost in a partition.
    cut,
    /// Messages, calls and answers lost or held back in an outage.
    lost_in_outage,
    /// Published messages held back until an outage was over.
    held_in_outage,
    /// Calls to the store while it had no leader.
    met_no_leader,
    /// Calls to the store that it refused by chance.
    refused,
    /// Writes and deletions decided late.
    late_commits,
    /// Writes and deletions that happened while their answer was lost on its way.
    committed_unheard,
    /// `get`s that showed the past. Only where that differed from the present.
    stale_gets,
    /// Watches that were interrupted.
    interrupted_watches,
    /// Changes that a watch told late.
    delayed_watch_events,
    /// Entries whose expiry was set too early. The store's own.
    early_expiries,
    /// Entries whose expiry was set too late. The store's own.
    late_expiries,
    /// Requests told that nobody serves, or that the connection is lost, though somebody served.
    false_denials,
    /// Messages dropped because those who serve did not take them.
    overflowed,
    /// Calls and answers of a paused node that waited for it to go on.
    held,
    /// Times the node was paused.
    pauses,
    /// Times the node crashed.
    crashes,
}
