//! What a handle gives out over time, as streams: each waits while its node is paused.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};
use tokio::sync::Notify;

use super::{
    changes::PAGE,
    handle::{Handle, Replying},
    messages::ServingId,
    shared::Follower,
    watches::{CatchingUp, NewWatch, WatchId},
    world::World,
};
use crate::engine::{EngineError, Entry, Key, Prefix, Request, Responder, WatchEvent};

/// A scan in progress.
struct Pages {
    handle: Handle,
    prefix: Prefix,
    /// The end of the last page, unless that was the last of all.
    last: Option<Key>,
    ready: VecDeque<Entry>,
}

impl Pages {
    fn take(&mut self, page: Vec<Entry>) {
        // A page that is not full was the last one.
        let is_full = page.len() == PAGE;
        let last = page.last().filter(|_| is_full);
        self.last = last.map(|entry| entry.key.clone());
        self.ready = page.into();
    }

    async fn next(&mut self) -> Result<Option<Entry>, EngineError> {
        if self.ready.is_empty()
            && let Some(last) = self.last.take()
        {
            let page = self.handle.page(self.prefix.clone(), last).await?;
            self.take(page);
        }
        self.handle.running().await;
        if !self.handle.caller.is_open() {
            return Err(EngineError::Closed);
        }
        Ok(self.ready.pop_front())
    }
}

/// A watch in progress.
struct Following {
    handle: Handle,
    id: WatchId,
    wake: Arc<Notify>,
    catching_up: Option<CatchingUp>,
    ready: VecDeque<WatchEvent>,
    is_over: bool,
    _follower: Follower,
}

impl Following {
    async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            self.handle.running().await;
            if self.is_over || !self.handle.caller.is_open() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                self.is_over = event == WatchEvent::Interrupted;
                return Some(event);
            }
            let (id, catching_up) = (self.id, &mut self.catching_up);
            let next = |world: &mut World| world.next_events(id, catching_up);
            self.ready = self.handle.shared.with(next)?;
            if self.ready.is_empty() && self.catching_up.is_none() {
                self.wake.notified().await;
            }
        }
    }
}

/// One who serves.
struct Serving {
    handle: Handle,
    id: ServingId,
    wake: Arc<Notify>,
    _follower: Follower,
}

impl Serving {
    async fn next(&mut self) -> Option<Request> {
        loop {
            self.handle.running().await;
            let id = self.id;
            let next = |world: &mut World| world.next_message(id);
            let Some(message) = self.handle.shared.with(next)? else {
                self.wake.notified().await;
                continue;
            };
            let responder = message.reply_to.map(|to| {
                let handle = self.handle.clone();
                Responder::new(Replying { handle, to })
            });
            let payload = message.payload;
            return Some(Request { payload, responder });
        }
    }
}

impl Handle {
    /// The entries after a page, page by page.
    pub(super) fn pages(
        self,
        prefix: Prefix,
        first: Vec<Entry>,
    ) -> impl Stream<Item = Result<Entry, EngineError>> + Send {
        let mut pages = Pages {
            handle: self,
            prefix,
            last: None,
            ready: VecDeque::new(),
        };
        pages.take(first);
        stream::unfold(Some(pages), async |pages| {
            let mut pages = pages?;
            match pages.next().await {
                Ok(entry) => Some((Ok(entry?), Some(pages))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    pub(super) fn following(
        self,
        new: NewWatch,
        follower: Follower,
    ) -> impl Stream<Item = WatchEvent> + Send {
        let following = Following {
            handle: self,
            id: new.id,
            wake: new.wake,
            catching_up: Some(new.catching_up),
            ready: VecDeque::new(),
            is_over: false,
            _follower: follower,
        };
        stream::unfold(following, async |mut following| {
            let event = following.next().await?;
            Some((event, following))
        })
    }

    pub(super) fn serving(
        self,
        id: ServingId,
        wake: Arc<Notify>,
        follower: Follower,
    ) -> impl Stream<Item = Request> + Send {
        let serving = Serving {
            handle: self,
            id,
            wake,
            _follower: follower,
        };
        stream::unfold(serving, async |mut serving| {
            let request = serving.next().await?;
            Some((request, serving))
        })
    }
}
