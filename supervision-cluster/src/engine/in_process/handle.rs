//! One node's engine: what a node calls, held back while the node is paused.
//!
//! Nothing here holds the lock while it waits.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::{
    calls::{Broken, Sent},
    changes::PAGE,
    messages::{Asked, ReplyTo},
    shared::{Dropped, Follower, Shared},
    world::{Caller, World},
};
use crate::engine::{
    Engine, EngineError, Entry, Expected, Key, Prefix, PublishError, Refusal, RequestError,
    Respond, Revision, Scan, Served, StoreIncarnation, Subject, Ttl, Watch, WriteError,
};

/// What a node holds of the engine.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) request_timeout: Duration,
    pub(super) max_payload: usize,
}

impl Handle {
    /// Waits while the node is paused.
    pub(super) async fn running(&self) {
        if self.caller.clock.is_paused() {
            let node = self.caller.node;
            self.shared.with(|world| world.stats(node).held += 1);
            self.caller.clock.resumed().await;
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        about: impl FnOnce() -> Arc<str> + Send,
        count: fn(&mut super::Stats),
        decides: bool,
        execute: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, Broken> {
        self.running().await;
        let sent = self.shared.with(|world| {
            count(world.stats(self.caller.node));
            world.call(&self.caller, about, decides, execute)
        });
        let waiting = match sent {
            Sent::Done(answer) => return answer,
            Sent::Waiting(waiting) => waiting,
        };
        let answer = async {
            match waiting.await {
                Ok(answer) => answer,
                // Lost: nothing will come, and only time can tell.
                Err(_) => std::future::pending().await,
            }
        };
        let answer = timeout(self.request_timeout, answer).await;
        self.running().await;
        if !self.caller.is_open() {
            return Err(Broken::Gone);
        }
        answer.unwrap_or(Err(Broken::Timeout))
    }

    /// A call that changes nothing.
    async fn look<T: Send + 'static>(
        &self,
        about: impl FnOnce() -> Arc<str> + Send,
        count: fn(&mut super::Stats),
        execute: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        let answer = self.call(about, count, false, execute).await;
        answer.map_err(|broken| match broken {
            Broken::Closed | Broken::Gone => EngineError::Closed,
            Broken::Unavailable => EngineError::Unavailable,
            Broken::Replaced => EngineError::Replaced,
            Broken::Timeout => {
                let node = self.caller.node;
                self.shared.with(|world| world.stats(node).timeouts += 1);
                EngineError::Timeout
            }
        })
    }

    /// A call that may change something.
    async fn act(
        &self,
        key: &Key,
        count: fn(&mut super::Stats),
        execute: impl FnOnce(&mut World) -> super::changes::Outcome + Send + 'static,
    ) -> Result<Revision, WriteError> {
        let answer = self.call(|| key.text(), count, true, execute).await;
        let refused = match answer {
            Ok(Ok(revision)) => return Ok(revision),
            Ok(Err(actual)) => return Err(WriteError::Conflict { actual }),
            Err(Broken::Closed) => Refusal::Closed,
            Err(Broken::Unavailable) => Refusal::Unavailable,
            Err(Broken::Replaced) => Refusal::Replaced,
            Err(Broken::Timeout | Broken::Gone) => {
                let node = self.caller.node;
                self.shared.with(|world| world.stats(node).unknown += 1);
                return Err(WriteError::Unknown);
            }
        };
        Err(refused.into())
    }

    /// The page of a scan after an entry.
    pub(super) async fn page(&self, prefix: Prefix, after: Key) -> Result<Vec<Entry>, EngineError> {
        let about = prefix.to_string().into();
        let read = move |world: &mut World| world.store.page(&prefix, Some(&after), PAGE);
        self.look(|| about, |stats| stats.scan_pages += 1, read)
            .await
    }
}

impl Engine for Handle {
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Entry>, EngineError>> {
        let (node, key) = (self.caller.node, key.clone());
        Box::pin(async move {
            let about = key.clone();
            let read = move |world: &mut World| world.read(node, &key);
            self.look(move || about.text(), |stats| stats.gets += 1, read)
                .await
        })
    }

    fn write(
        &self,
        key: &Key,
        value: Bytes,
        expected: Expected,
        ttl: Option<Ttl>,
    ) -> BoxFuture<'_, Result<Revision, WriteError>> {
        let (node, key, max) = (self.caller.node, key.clone(), self.max_payload);
        Box::pin(async move {
            let size = value.len();
            if size > max {
                return Err(Refusal::TooLarge { size, max }.into());
            }
            let about = key.clone();
            let write = move |world: &mut World| world.write(node, &key, value, expected, ttl);
            self.act(&about, |stats| stats.writes += 1, write).await
        })
    }

    fn delete(&self, key: &Key, expected: Revision) -> BoxFuture<'_, Result<Revision, WriteError>> {
        let (node, key) = (self.caller.node, key.clone());
        Box::pin(async move {
            let about = key.clone();
            let delete = move |world: &mut World| world.delete(node, &key, expected);
            self.act(&about, |stats| stats.deletes += 1, delete).await
        })
    }

    fn scan(&self, prefix: &Prefix) -> BoxFuture<'_, Result<Scan, EngineError>> {
        let prefix = prefix.clone();
        Box::pin(async move {
            let about: Arc<str> = prefix.to_string().into();
            let (node, below) = (self.caller.node, prefix.clone());
            let read = move |world: &mut World| world.first_page(node, &below);
            let count = |stats: &mut super::Stats| {
                stats.scans += 1;
                stats.scan_pages += 1;
            };
            let (complete_to, first) = self.look(|| about, count, read).await?;
            Ok(Scan::new(complete_to, self.clone().pages(prefix, first)))
        })
    }

    fn watch(
        &self,
        prefix: &Prefix,
        from: Option<Revision>,
    ) -> BoxFuture<'_, Result<Watch, EngineError>> {
        let prefix = prefix.clone();
        Box::pin(async move {
            let about: Arc<str> = prefix.to_string().into();
            let (caller, shared) = (self.caller.clone(), Arc::downgrade(&self.shared));
            let begin = move |world: &mut World| {
                let new = world.begin_watch(&caller, prefix, from)?;
                let follower = Follower {
                    shared,
                    what: Dropped::Watch(new.id),
                };
                Ok((new, follower))
            };
            let begun = self
                .look(|| about, |stats| stats.watches += 1, begin)
                .await?;
            let (new, follower) = begun.map_err(|from| EngineError::Compacted { from })?;
            Ok(Watch::new(self.clone().following(new, follower)))
        })
    }

    fn request(
        &self,
        to: &Subject,
        payload: Bytes,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Bytes, RequestError>> {
        let (to, max) = (to.clone(), self.max_payload);
        Box::pin(async move {
            let size = payload.len();
            if size > max {
                return Err(RequestError::TooLarge { size, max });
            }
            self.running().await;
            let node = self.caller.node;
            let asked = self.shared.with(|world| {
                world.stats(node).requests += 1;
                world.ask(&self.caller, &to, payload)
            });
            let (ask, reply) = match asked {
                Asked::Done(error) => return Err(error),
                Asked::Waiting(ask, reply) => (ask, reply),
            };
            let _follower = Follower {
                shared: Arc::downgrade(&self.shared),
                what: Dropped::Ask(ask),
            };
            let reply = timeout(wait, reply).await;
            self.running().await;
            if !self.caller.is_open() {
                return Err(RequestError::Disconnected);
            }
            match reply {
                Ok(Ok(reply)) => reply,
                Ok(Err(_)) => Err(RequestError::Disconnected),
                Err(_) => {
                    self.shared.with(|world| world.stats(node).unanswered += 1);
                    Err(RequestError::Timeout)
                }
            }
        })
    }

    fn serve(&self, subject: &Subject) -> BoxFuture<'_, Result<Served, EngineError>> {
        let subject = subject.clone();
        Box::pin(async move {
            self.running().await;
            let serving = self.shared.with(|world| {
                world.stats(self.caller.node).serves += 1;
                world.serve(&self.caller, &subject)
            });
            let (id, wake) = serving.ok_or(EngineError::Closed)?;
            let follower = Follower {
                shared: Arc::downgrade(&self.shared),
                what: Dropped::Serving(id),
            };
            Ok(Served::new(self.clone().serving(id, wake, follower)))
        })
    }

    fn publish(&self, to: &Subject, payload: Bytes) -> BoxFuture<'_, Result<(), PublishError>> {
        let (to, max) = (to.clone(), self.max_payload);
        Box::pin(async move {
            let size = payload.len();
            if size > max {
                return Err(PublishError::TooLarge { size, max });
            }
            self.running().await;
            self.shared.with(|world| {
                world.stats(self.caller.node).publishes += 1;
                world.publish(&self.caller, &to, payload)
            })
        })
    }

    fn incarnation(&self) -> StoreIncarnation {
        self.caller.store
    }

    fn max_payload(&self) -> usize {
        self.max_payload
    }
}

/// A request that was taken and not yet replied to.
pub(super) struct Replying {
    pub(super) handle: Handle,
    pub(super) to: ReplyTo,
}

impl Respond for Replying {
    fn respond(self: Box<Self>, payload: Bytes) -> BoxFuture<'static, Result<(), PublishError>> {
        Box::pin(async move {
            let (handle, size) = (&self.handle, payload.len());
            let max = handle.max_payload;
            if size > max {
                return Err(PublishError::TooLarge { size, max });
            }
            handle.running().await;
            handle
                .shared
                .with(|world| world.reply(&handle.caller, self.to, payload))
        })
    }
}
