//! Who watches one actor or group. Made at the first watch; shared with the guards, so that a watch
//! that is given up leaves nothing behind.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Teller, Termination, WatchId, link::Link};

/// Fewer watches than these are not looked through for watchers that have ended.
const FEW: usize = 64;

/// The watches of one actor or group.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<List>);

#[derive(Default)]
struct List {
    links: BTreeMap<WatchId, Arc<Link>>,
    /// Watches that were there when they were last looked through.
    after_sweep: usize,
}

impl Watchers {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a watch until the end.
    pub(crate) fn accept(self: &Arc<Self>, mut teller: Teller) {
        let Some(link) = teller.arrive() else { return };
        let id = link.id();
        let mut list = self.list();
        let swept = list.sweep_if_due();
        list.links.insert(id, link.clone());
        if !link.keep_in(self) {
            list.links.remove(&id);
        }
        drop(list);
        drop(swept);
    }

    /// The watch was given up.
    pub(super) fn forget(&self, id: WatchId) {
        let forgotten = self.list().links.remove(&id);
        drop(forgotten);
    }

    /// How many watch.
    pub(crate) fn len(&self) -> usize {
        self.list().links.len()
    }

    /// Tells all, once.
    pub(crate) fn tell_all(&self, path: &str, reason: &Termination) {
        let links = std::mem::take(&mut self.list().links);
        for link in links.into_values() {
            link.tell(path, reason, false);
        }
    }
}

impl List {
    /// Takes out the watches of actors that have ended without giving theirs up, each time their
    /// number may have doubled; gives them, to be dropped where nothing is locked.
    fn sweep_if_due(&mut self) -> Vec<Arc<Link>> {
        if self.links.len() < FEW.max(2 * self.after_sweep) {
            return Vec::new();
        }
        let mut orphans = Vec::new();
        self.links.retain(|_, link| {
            let is_orphan = link.is_orphan();
            if is_orphan {
                orphans.push(link.clone());
            }
            !is_orphan
        });
        self.after_sweep = self.links.len();
        orphans
    }
}

#[cfg(test)]
mod tests {
    use actix::prelude::*;

    use super::*;
    use crate::death_watch::{Terminated, WatchGuard, link::To};

    struct Watcher;

    impl Actor for Watcher {
        type Context = Context<Self>;
    }

    impl Handler<Terminated> for Watcher {
        type Result = ();
        fn handle(&mut self, _: Terminated, _: &mut Context<Self>) {}
    }

    fn watch(watchers: &Arc<Watchers>, watcher: &Addr<Watcher>) -> WatchGuard {
        let to = To::Actor(watcher.clone().into());
        let (link, teller) = Link::new(WatchId::next(), to, "x".to_owned());
        watchers.accept(teller);
        WatchGuard { link: Some(link) }
    }

    #[actix::test]
    async fn guards_leave_nothing_behind() {
        let (watchers, watcher) = (Arc::<Watchers>::default(), Watcher.start());
        let guards = (0..100_000).map(|_| watch(&watchers, &watcher));
        let guards = guards.collect::<Vec<_>>();
        assert_eq!(watchers.len(), 100_000);
        drop(guards);
        assert_eq!(watchers.len(), 0);
    }

    #[actix::test]
    async fn detached_watches_of_the_dead_never_outnumber_the_living_by_much() {
        let (watchers, alive) = (Arc::<Watchers>::default(), Watcher.start());
        for _ in 0..100 {
            watch(&watchers, &alive).detach();
        }
        let mut most = 0;
        for _ in 0..10_000 {
            let (sender, receiver) = actix::dev::channel::channel::<Watcher>(1);
            watch(&watchers, &Addr::new(sender)).detach();
            drop(receiver);
            most = most.max(watchers.len());
        }
        assert!(most <= 200 + FEW, "{most} were kept");
        assert!(watchers.len() >= 100, "none of the living is forgotten");
    }

    #[actix::test]
    async fn a_watch_given_up_before_it_arrives_is_not_kept() {
        let (watchers, watcher) = (Arc::<Watchers>::default(), Watcher.start());
        let to = To::Actor(watcher.into());
        let (link, teller) = Link::new(WatchId::next(), to, "x".to_owned());
        assert!(link.unwatch());
        assert!(!link.unwatch());
        watchers.accept(teller);
        assert_eq!(watchers.len(), 0);
    }
}
