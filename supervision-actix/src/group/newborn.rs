//! A child before its task is started, and everything a group's task is made of before it runs.
//! All of it can be sent to another arbiter.

use std::{any::Any, sync::Arc};

use actix::ArbiterHandle;
use supervision_core::{
    RestartType,
    group::{ChildId, ChildSpec, GroupSpec},
};
use tokio::sync::{mpsc, watch};

use crate::{
    group::{
        birth::{Address, Birth},
        handle::{Directory, GroupHandle, Progress},
        roster::Entry,
        snapshot::Facts,
        task::Event,
    },
    order::Post,
    props::StartError,
    snapshot::NodeKind,
};

/// A child whose task has not been started.
pub(crate) struct Newborn {
    pub(super) id: ChildId,
    is_temporary: bool,
    birth: Box<dyn Birth>,
    arbiter: Option<ArbiterHandle>,
}

impl Newborn {
    pub(super) fn new(
        spec: &ChildSpec,
        birth: Box<dyn Birth>,
        arbiter: Option<ArbiterHandle>,
    ) -> Self {
        Self {
            id: spec.id.as_str().into(),
            is_temporary: spec.restart_type == RestartType::Temporary,
            birth,
            arbiter,
        }
    }

    /// What is known of it without asking it; `None` where that follows from its supervisor and id.
    pub(super) fn facts(&self) -> Option<Facts> {
        self.birth.facts()
    }

    /// Starts its task, which waits for its first order and tells its group under the name of `id`.
    /// `is_fixed` says whether the child is one of those that its group was described with.
    pub(super) fn start(
        self,
        id: ChildId,
        to: mpsc::UnboundedSender<Event>,
        template: Option<&dyn Any>,
        is_fixed: bool,
    ) -> Result<(Box<Entry>, Address), StartError> {
        let address = self.birth.address();
        let post = Post { child: id, to };
        let line = self.birth.start(post, self.arbiter.as_ref(), template)?;
        let is_remote = self.arbiter.is_some();
        let entry = Entry::new(line, self.is_temporary, is_fixed, is_remote);
        Ok((Box::new(entry), address))
    }
}

/// Makes what the children of a group have in common, on the group's arbiter.
pub(super) type MakeTemplate = Box<dyn FnOnce() -> Box<dyn Any> + Send>;

/// What makes a group a dynamic supervisor.
pub(super) struct DynamicParts {
    pub(super) template: MakeTemplate,
    /// The type of the children.
    pub(super) child_type: &'static str,
}

/// What a group's task is made of.
pub(super) struct Wiring {
    pub(super) path: Arc<str>,
    pub(super) spec: GroupSpec,
    pub(super) newborns: Vec<Newborn>,
    pub(super) template: Option<MakeTemplate>,
    pub(super) kind: NodeKind,
    /// The type of a dynamic supervisor's children.
    pub(super) child_type: Option<&'static str>,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    pub(super) to_self: mpsc::WeakUnboundedSender<Event>,
    pub(super) directory: Directory,
    pub(super) progress: watch::Sender<Progress>,
}

impl Wiring {
    /// Parts that fit together, and a handle to them.
    pub(super) fn new(
        path: Arc<str>,
        spec: GroupSpec,
        newborns: Vec<Newborn>,
        dynamic: Option<DynamicParts>,
    ) -> (Self, GroupHandle) {
        let (sender, events) = mpsc::unbounded_channel();
        let (progress, watched) = watch::channel(Progress::Starting);
        let directory = Directory::default();
        for newborn in &newborns {
            directory.insert(newborn.id.clone(), newborn.birth.address());
        }
        let kind = match &dynamic {
            Some(_) => NodeKind::Dynamic,
            None => NodeKind::Group(spec.group),
        };
        let (template, child_type) = dynamic
            .map(|parts| (parts.template, parts.child_type))
            .unzip();
        let wiring = Self {
            path: path.clone(),
            spec,
            newborns,
            template,
            kind,
            child_type,
            events,
            to_self: sender.downgrade(),
            directory: directory.clone(),
            progress,
        };
        let handle = GroupHandle::new(path, kind, sender, directory, watched);
        (wiring, handle)
    }
}
