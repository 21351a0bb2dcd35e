//! What can be set for a supervised actor, and the defaults.

use supervision_core::{KnownErrors, NodeId, RestartType};

use crate::event::SupervisionEvent;

/// Failures remembered per actor unless set otherwise.
pub const DEFAULT_HISTORY_CAPACITY: usize = 100;
/// Messages a mailbox takes before senders wait, unless set otherwise; actix's own default.
pub const DEFAULT_MAILBOX_CAPACITY: usize = 16;

pub(crate) type Observer = Box<dyn Fn(&SupervisionEvent) + Send>;

/// The settings of one supervised actor.
pub(crate) struct Settings {
    pub(crate) restart_type: RestartType,
    pub(crate) mailbox_capacity: usize,
    pub(crate) history_capacity: usize,
    pub(crate) node_id: NodeId,
    pub(crate) known: KnownErrors,
    pub(crate) observer: Option<Observer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            restart_type: RestartType::default(),
            mailbox_capacity: DEFAULT_MAILBOX_CAPACITY,
            history_capacity: DEFAULT_HISTORY_CAPACITY,
            node_id: NodeId::local(),
            known: KnownErrors::none(),
            observer: None,
        }
    }
}
