//! What calls an actor's task from other tasks and threads: a flag, and the waker of the task.
//!
//! `AtomicWaker` will not do: while it is waking somebody, it does not keep the waker it is given, and
//! has the task polled once more to give it again. This task does that only if the flag is raised,
//! so the call after would have found nobody to wake. Here the waker stays.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Waker,
};

/// Rung by anybody, heard by one task.
pub(crate) struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    /// A bell that is rung, so that its task makes itself known when it is first polled.
    pub(crate) fn new() -> Self {
        Self {
            rung: AtomicBool::new(true),
            task: Mutex::new(None),
        }
    }

    /// Has the task look. What it is to find must be there already.
    pub(crate) fn ring(&self) {
        self.rung.store(true, SeqCst);
        // Woken when the lock is released: what a waker does is not known here.
        let task = self.task().clone();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Has the task, which is being polled, look before that poll ends.
    pub(crate) fn remind(&self) {
        self.rung.store(true, SeqCst);
    }

    /// Whether the task has to look.
    #[inline]
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(SeqCst)
    }

    /// Says that `task` is looking now; whoever rings from now on wakes it.
    pub(crate) fn hear(&self, task: &Waker) {
        let mut kept = self.task();
        let replaced = match &*kept {
            Some(known) if known.will_wake(task) => None,
            _ => kept.replace(task.clone()),
        };
        drop(kept);
        drop(replaced);
        self.rung.store(false, SeqCst);
    }

    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, task::Wake};

    use super::*;

    /// A task; whether it was woken.
    #[derive(Default)]
    struct Task(AtomicBool);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }

    /// A task of which nothing is left but its waker; that rings when it goes.
    struct Gone(Arc<Bell>);

    impl Wake for Gone {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.ring();
        }
    }

    #[test]
    fn a_bell_wakes_its_task_each_time() {
        let (bell, task) = (Bell::new(), Arc::new(Task::default()));
        assert!(bell.is_rung(), "it is not known yet");
        for _ in 0..3 {
            bell.hear(&task.clone().into());
            assert!(!bell.is_rung());
            for _ in 0..2 {
                bell.ring();
                assert!(task.0.swap(false, SeqCst) && bell.is_rung());
            }
        }
    }

    #[test]
    fn who_rings_while_the_task_makes_itself_known_does_not_keep_it_from_the_next_ring() {
        let (bell, task) = (Arc::new(Bell::new()), Arc::new(Task::default()));
        bell.hear(&Arc::new(Gone(bell.clone())).into());
        // The waker of the one before is dropped in here.
        bell.hear(&task.clone().into());
        task.0.store(false, SeqCst);
        bell.ring();
        assert!(task.0.load(SeqCst), "the ring was lost");
    }
}
