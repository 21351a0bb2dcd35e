//! Who is measured, in the order of the tables.

/// One column.
pub(super) struct Peer {
    /// As the program that measures knows it.
    pub(super) name: &'static str,
    /// As people do.
    pub(super) title: &'static str,
    /// What is measured, in a few words.
    pub(super) what: &'static str,
    /// The crate whose version counts.
    pub(super) package: &'static str,
}

/// Run by `erl` and not by the bench program.
pub(super) const ERLANG: &str = "erlang";

/// All of them.
pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "bare",
        title: "bare actix",
        what: "`Actor::start()`, no supervision",
        package: "actix",
    },
    Peer {
        name: "bare-catch",
        title: "bare actix, caught by hand",
        what: "the limit of a restart after a panic: caught around the poll of actix's `ContextFut`, \
               a fresh actor at a new address, one ping",
        package: "actix",
    },
    Peer {
        name: "actix-supervisor",
        title: "actix::Supervisor",
        what: "`actix::Supervisor::start()`; its reported failure is `ctx.stop()`, after which the same \
               value goes on",
        package: "actix",
    },
    Peer {
        name: "lean",
        title: "ours, lean",
        what: "`ActorProps::start_actor()`",
        package: "supervision-actix",
    },
    Peer {
        name: "dynamic",
        title: "ours, dynamic child",
        what: "children of one `DynamicSupervisor`",
        package: "supervision-actix",
    },
    Peer {
        name: "supervisor",
        title: "ours, with supervisor",
        what: "`ActorProps::start()`, the supervisor's address held",
        package: "supervision-actix",
    },
    Peer {
        name: "deadline",
        title: "ours, lean with deadline",
        what: "as lean, `with_stall_deadline(5 s)`",
        package: "supervision-actix",
    },
    Peer {
        name: "kameo",
        title: "kameo",
        what: "`supervise_with`, children of one supervisor, unbounded mailboxes (its fastest)",
        package: "kameo",
    },
    Peer {
        name: "kameo-bounded",
        title: "kameo, bounded",
        what: "the same with its default mailbox of 64, whose senders wait",
        package: "kameo",
    },
    Peer {
        name: "ractor",
        title: "ractor",
        what: "`spawn_linked` to a supervisor of 30 lines that spawns the next actor on `ActorFailed` \
               and puts its reference where callers look; ractor itself restarts nothing",
        package: "ractor",
    },
    Peer {
        name: "ractor-supervisor",
        title: "ractor-supervisor",
        what: "children of its `DynamicSupervisor`, found in ractor's registry by the names it demands",
        package: "ractor-supervisor",
    },
    Peer {
        name: "tokio-actors",
        title: "tokio-actors",
        what: "`ctx.spawn_child` of a one-for-one supervisor, found by id once a handle is closed; \
               mailboxes of 1,024",
        package: "tokio-actors",
    },
    Peer {
        name: ERLANG,
        title: "Erlang/OTP",
        what: "`gen_server`s under a `simple_one_for_one` supervisor; registered by name where they fail; \
               one scheduler for \"same thread\", two for \"another thread\"",
        package: "",
    },
];

/// The column of this name.
pub(super) fn titled(name: &str) -> &str {
    let peer = PEERS.iter().find(|peer| peer.name == name);
    peer.map_or(name, |peer| peer.title)
}
