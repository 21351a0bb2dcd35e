//! Describing a group and starting it.

use std::sync::Arc;

use supervision_core::{
    SupervisionStrategy,
    group::{AutoShutdown, GroupSpec, GroupStrategy, InvalidGroup},
};

use crate::{
    group::{
        birth::{Birth, GroupBirth},
        child::ChildProps,
        handle::GroupHandle,
        newborn::{DynamicParts, Newborn, Wiring},
        task::Task,
    },
    props::{StartError, check_path, runtime},
};

/// A group that could not be started; nothing was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProps {
    /// The group, or a group in it, breaks a rule.
    #[error("group {path}: {error}")]
    Group {
        /// The group's path.
        path: String,
        /// The field and the rule.
        error: InvalidGroup,
    },
    /// A child's own props are invalid.
    #[error("child {id:?}: {error}")]
    Child {
        /// The child.
        id: String,
        /// What is wrong.
        error: StartError,
    },
    /// The group cannot be started here, or its path is invalid.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A group as data: its children in the order in which they start, and what one's failure means for
/// the others.
///
/// ```
/// use actix::prelude::*;
/// use supervision_actix::{group::{ChildProps, GroupProps, GroupStrategy}, prelude::*};
///
/// struct Database;
/// impl Actor for Database {
///     type Context = Context<Self>;
/// }
///
/// struct Cache(Addr<Database>);
/// impl Actor for Cache {
///     type Context = Context<Self>;
/// }
///
/// #[derive(Message)]
/// #[rtype(result = "bool")]
/// struct HasDatabase;
/// impl Handler<HasDatabase> for Cache {
///     type Result = bool;
///     fn handle(&mut self, _: HasDatabase, _: &mut Context<Self>) -> bool {
///         self.0.connected()
///     }
/// }
///
/// System::new().block_on(async {
///     let restart = SupervisionStrategy::default();
///     let database = ChildProps::actor("database", ActorProps::plain("/app/database", || Database));
///     // The address of a child is known before it runs, and the same in all its lives.
///     let address = database.address::<Database>().unwrap();
///     let group = GroupProps::new("/app", GroupStrategy::RestForOne, restart)
///         .child(database)
///         .child(ChildProps::actor(
///             "cache",
///             ActorProps::plain("/app/cache", move || Cache(address.clone())),
///         ))
///         .start();
///     let cache = group.actor::<Cache>("cache").unwrap();
///     assert_eq!(cache.send(HasDatabase).await, Ok(true));
///     assert!(group.shutdown().await.reason.is_normal());
///     assert!(cache.send(HasDatabase).await.is_err());
/// });
/// ```
#[must_use = "props describe a group; start it"]
pub struct GroupProps {
    path: String,
    spec: GroupSpec,
    children: Vec<ChildProps>,
}

impl GroupProps {
    /// An empty group. `strategy` decides about its children's failures, with budgets that they
    /// have in common (OTP's intensity and period).
    pub fn new(
        path: impl Into<String>,
        group: GroupStrategy,
        strategy: SupervisionStrategy,
    ) -> Self {
        Self {
            path: path.into(),
            spec: GroupSpec::new(group, strategy),
            children: Vec::new(),
        }
    }

    /// Adds a child that starts after those added before.
    pub fn child(mut self, child: ChildProps) -> Self {
        self.children.push(child);
        self
    }

    /// Adds a group as a child, with its path as its id; for more see [`ChildProps::group`].
    pub fn group(self, group: Self) -> Self {
        let id = group.path.clone();
        self.child(ChildProps::group(id, group))
    }

    /// Sets when the group ends with its significant children. Default: never.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.spec.auto_shutdown = auto_shutdown;
        self
    }

    /// Starts the group on this arbiter.
    ///
    /// The children start one after the other; [`GroupHandle::started`] tells when all have. The
    /// group runs until it ends by itself, [`GroupHandle::shutdown`] is called, or its arbiter
    /// stops; as in OTP, whoever holds or drops a handle has no part in that.
    ///
    /// # Panics
    /// With the [`InvalidProps`] that [`try_start`](Self::try_start) would return.
    pub fn start(self) -> GroupHandle {
        match self.try_start() {
            Ok(handle) => handle,
            Err(error) => panic!("cannot start the group: {error}"),
        }
    }

    /// Starts the group on this arbiter, see [`start`](Self::start).
    ///
    /// # Errors
    /// [`InvalidProps`]; nothing was started.
    pub fn try_start(self) -> Result<GroupHandle, InvalidProps> {
        runtime()?;
        let (wiring, handle) = self.wire(None)?;
        actix_rt::spawn(Task::new(wiring, None).run());
        Ok(handle)
    }

    pub(super) fn birth(self) -> Result<Box<dyn Birth>, InvalidProps> {
        let (wiring, handle) = self.wire(None)?;
        Ok(Box::new(GroupBirth::new(wiring, &handle, handle.clone())))
    }

    pub(super) fn wire(
        self,
        dynamic: Option<DynamicParts>,
    ) -> Result<(Wiring, GroupHandle), InvalidProps> {
        let Self {
            path,
            mut spec,
            children,
        } = self;
        if cfg!(not(panic = "unwind")) {
            return Err(StartError::PanicAbort.into());
        }
        check_path(&path)?;
        let mut newborns = Vec::with_capacity(children.len());
        for child in children {
            let newborn = Newborn::new(&child.spec, child.birth?, child.arbiter);
            spec.children.push(child.spec);
            newborns.push(newborn);
        }
        if let Err(error) = spec.validate() {
            return Err(InvalidProps::Group { path, error });
        }
        let path: Arc<str> = path.into();
        Ok(Wiring::new(path, spec, newborns, dynamic))
    }
}
