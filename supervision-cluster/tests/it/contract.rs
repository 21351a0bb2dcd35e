//! What every engine must do, whatever it is made of: run any one through [`engine_contract`].

mod keeping;
mod talking;
mod watching;

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future::join_all};
use supervision_cluster::engine::{
    Engine, Entry, Expected, Key, Prefix, Revision, Subject, Watch, WatchEvent,
};

/// An engine with two nodes, and names that nobody else uses.
pub(crate) struct Pair {
    pub(crate) a: Arc<dyn Engine>,
    pub(crate) b: Arc<dyn Engine>,
    room: String,
}

impl Pair {
    pub(crate) fn key(&self, name: &str) -> Key {
        Key::of([&*self.room, name]).unwrap()
    }

    pub(crate) fn prefix(&self) -> Prefix {
        Prefix::of([&*self.room]).unwrap()
    }

    pub(crate) fn subject(&self, name: &str) -> Subject {
        Subject::of([&*self.room, name]).unwrap()
    }
}

pub(crate) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) async fn create(engine: &Arc<dyn Engine>, key: &Key, value: &str) -> Revision {
    let created = engine.write(key, bytes(value), Expected::Absent, None);
    created.await.unwrap()
}

pub(crate) async fn update(
    engine: &Arc<dyn Engine>,
    key: &Key,
    value: &str,
    at: Revision,
) -> Revision {
    let updated = engine.write(key, bytes(value), Expected::Revision(at), None);
    updated.await.unwrap()
}

pub(crate) async fn scan_all(engine: &Arc<dyn Engine>, prefix: &Prefix) -> Vec<Entry> {
    let scan = engine.scan(prefix).await.unwrap();
    scan.try_collect().await.unwrap()
}

/// The next event, which must come.
pub(crate) async fn next(watch: &mut Watch) -> WatchEvent {
    let event = tokio::time::timeout(Duration::from_secs(30), watch.next()).await;
    event.expect("a watch told nothing").expect("a watch ended")
}

/// The next change as `key=value`, `-key` or `?key` (expired), or the name of the event.
pub(crate) async fn next_change(watch: &mut Watch) -> String {
    shown(&next(watch).await)
}

pub(crate) fn shown(event: &WatchEvent) -> String {
    let name = |key: &Key| key.parts().unwrap().pop().unwrap();
    match event {
        WatchEvent::Put(entry) => {
            let value = String::from_utf8_lossy(&entry.value);
            format!("{}={value}", name(&entry.key))
        }
        WatchEvent::Deleted { key, .. } => format!("-{}", name(key)),
        WatchEvent::Expired { key, .. } => format!("?{}", name(key)),
        WatchEvent::CaughtUp => "caught up".to_owned(),
        WatchEvent::Interrupted => "interrupted".to_owned(),
    }
}

/// Runs every check, all at once and each in a room of its own; `connect` gives a handle for a node.
///
/// Takes some seconds of the runtime's time: lifetimes are whole seconds.
pub(crate) async fn engine_contract(connect: impl Fn(&str) -> Arc<dyn Engine>) {
    let checks = [keeping::checks(), watching::checks(), talking::checks()].concat();
    assert!(checks.len() >= 30, "only {} checks", checks.len());
    let run = checks.into_iter().map(async |(name, check)| {
        let pair = Pair {
            a: connect("a"),
            b: connect("b"),
            room: format!("contract {name}"),
        };
        let checked = tokio::time::timeout(Duration::from_secs(60), check(pair)).await;
        assert!(checked.is_ok(), "{name} did not end");
    });
    join_all(run).await;
}

pub(crate) type Check = fn(Pair) -> std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Lists checks with their names.
macro_rules! list {
    ($($check:ident)*) => {
        pub(crate) fn checks() -> Vec<(&'static str, crate::contract::Check)> {
            vec![$((stringify!($check), |pair| Box::pin($check(pair)))),*]
        }
    };
}
pub(crate) use list;
