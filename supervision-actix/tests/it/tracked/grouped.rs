//! Children of groups: what they are sent while they are stopped, removed, or not theirs any more.

use supervision_actix::{
    dead_letters::DeadLetterReason,
    group::{ChildProps, DynamicProps, GroupHandle, GroupProps, GroupStrategy},
};

use crate::{
    probe::{pass_a_second, restart},
    quiet::on_virtual_time,
};

use super::*;

fn child(id: &str, to: &Addr<Undertaker>) -> ChildProps {
    let props = ActorProps::plain(format!("/group/{id}"), Worker::default);
    ChildProps::actor(id, props.with_dead_letters(to.clone().recipient()))
}

async fn tracked(group: &GroupHandle, id: &str) -> TrackedAddr<Worker> {
    let supervisor = group.supervisor::<Worker>(id).expect("it is there");
    let tracked = supervisor.send(GetTrackedAddr::new()).await;
    tracked.expect("answers").expect("it is there")
}

#[test]
fn a_child_that_its_group_has_stopped_tells_what_it_is_sent() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let (undertaker, told) = undertaker().await;
        let group = GroupProps::new("/group", GroupStrategy::OneForOne, restart(usize::MAX, 0))
            .child(child("a", &undertaker))
            .start();
        group.started().await.expect("it starts");
        let worker = tracked(&group, "a").await;
        assert!(worker.send(Job::new(&truth, Deed::Nothing)).await.is_ok());
        group.terminate("a").await.expect("it is there");
        for _ in 0..3 {
            let asked = worker.send(Job::new(&truth, Deed::Nothing)).await;
            assert_eq!(asked, Err(MailboxError::Closed));
        }
        worker.address().do_send(Job::new(&truth, Deed::Nothing));
        pass_a_second().await;
        assert!(worker.connected(), "it may come back");
        group.restart("a").await.expect("it is there");
        assert!(worker.send(Job::new(&truth, Deed::Fail)).await.is_ok());
        group.terminate("a").await.expect("it is there");
        group.delete("a").await.expect("it is there");
        // It would come back with its group, if that were restarted.
        worker.do_send(Job::new(&truth, Deed::Nothing));
        pass_a_second().await;
        group.shutdown().await;
        pass_a_second().await;
        assert!(!worker.connected());
        worker.do_send(Job::new(&truth, Deed::Nothing));
        undertaker.send(Flush).await.expect("it is up");
        let told = told.lock().unwrap();
        let told = told
            .iter()
            .map(|letter| (letter.reason, letter.message_type.is_some()));
        use DeadLetterReason::{Closed, NotRunning};
        let refused = (NotRunning, true);
        let expected = [
            refused,
            refused,
            refused,
            (NotRunning, false),
            refused,
            (Closed, true),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        let counts = worker.counts();
        assert_exact(counts);
        assert_eq!(
            (counts.handled, counts.failed, counts.dead_lettered),
            (1, 1, 5)
        );
    });
}

#[test]
fn siblings_that_restart_together_keep_their_messages() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let (undertaker, told) = undertaker().await;
        let group = ["a", "b", "c"].into_iter().fold(
            GroupProps::new("/group", GroupStrategy::OneForAll, restart(usize::MAX, 20)),
            |group, id| group.child(child(id, &undertaker)),
        );
        let group = group.start();
        group.started().await.expect("it starts");
        let mut workers = Vec::new();
        for id in ["a", "b", "c"] {
            workers.push(tracked(&group, id).await);
        }
        for round in 0..100 {
            for worker in &workers {
                let deed = if fastrand::u8(..10) == 0 {
                    Deed::Panic
                } else {
                    Deed::Nothing
                };
                worker.do_send(Job::new(&truth, deed));
            }
            if round % 10 == 0 {
                pass_a_second().await;
            }
        }
        for _ in 0..100 {
            pass_a_second().await;
        }
        for worker in &workers {
            let counts = worker.counts();
            assert_exact(counts);
            assert_eq!((counts.sent, counts.dead_lettered), (100, 0));
        }
        let (returned, failed) = (truth.returned.load(SeqCst), truth.failed.load(SeqCst));
        assert_eq!((returned + failed, told.lock().unwrap().len()), (300, 0));
        group.shutdown().await;
        workers[0].do_send(Job::new(&truth, Deed::Nothing));
        assert_eq!(workers[0].counts().dead_lettered, 1);
    });
}

#[test]
fn children_of_a_dynamic_supervisor_can_be_tracked_from_the_start() {
    on_virtual_time(async {
        let truth: Arc<Truth> = Arc::default();
        let supervisor =
            DynamicProps::new("/pool", restart(usize::MAX, 0), |_: &u8| Worker::default()).start();
        let worker = supervisor.add_tracked("one", 1).await.expect("it starts");
        assert_eq!(supervisor.get("one").as_ref(), Some(worker.address()));
        assert!(worker.send(Job::new(&truth, Deed::Fail)).await.is_ok());
        assert!(worker.send(Job::new(&truth, Deed::Nothing)).await.is_ok());
        let last = worker.send(Job::new(&truth, Deed::Nothing));
        supervisor.remove("one").await.expect("it is there");
        worker.do_send(Job::new(&truth, Deed::Nothing));
        let last = last.await;
        let counts = worker.counts();
        assert_exact(counts);
        let handled = u64::from(last.is_ok());
        assert_eq!((counts.handled, counts.failed), (1 + handled, 1));
        assert_eq!(truth.made.load(SeqCst), truth.dropped.load(SeqCst));
    });
}
