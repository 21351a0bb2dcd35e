//! Whose message it was: records name its type where it can be known.

use std::{
    any::type_name,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use actix::prelude::*;
use supervision_actix::{
    FailOnErr, FailOnErrExt,
    group::{ChildProps, GroupProps, GroupStrategy},
    prelude::*,
    stalls,
};

use crate::{
    probe::{Meant, pass_a_second, restart},
    quiet::{MEANT, on_virtual_time, silence},
};

struct Clerk;

impl Actor for Clerk {
    type Context = Context<Self>;
}

/// Where the handler of a message fails.
#[derive(Clone, Copy)]
enum How {
    Panic,
    /// Without the panic hook.
    Unwind,
    Fail,
    FailLater,
    PanicLater,
    WatchedPanic,
    WaitForEver,
    Not,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Order(How);

impl Handler<Order> for Clerk {
    type Result = ();

    fn handle(&mut self, order: Order, ctx: &mut Context<Self>) {
        let nap = || actix_rt::time::sleep(Duration::from_millis(5));
        match order.0 {
            How::Panic => panic!("{MEANT}"),
            How::Unwind => std::panic::resume_unwind(Box::new(MEANT)),
            How::Fail => ctx.fail(Meant),
            How::FailLater => {
                let later = nap().into_actor(self).map(|(), _, _| Err::<(), _>(Meant));
                let later = later.fail_on_err();
                ctx.spawn(later.map(|_, _, _| {}));
            }
            How::PanicLater => {
                ctx.spawn(nap().into_actor(self).map(|(), _, _| panic!("{MEANT}")));
            }
            How::WatchedPanic => {
                let work = ctx.watch(async move {
                    nap().await;
                    panic!("{MEANT}")
                });
                actix_rt::spawn(async {
                    let (): () = work.await;
                });
            }
            How::WaitForEver => ctx.wait(std::future::pending().into_actor(self)),
            How::Not => {}
        }
    }
}

/// As an [`Order`], by a handler that says what it handles.
#[derive(Message)]
#[rtype(result = "()")]
struct Said(How);

impl Handler<Said> for Clerk {
    type Result = ();

    fn handle(&mut self, said: Said, ctx: &mut Context<Self>) {
        ctx.handling::<Said, _>(|ctx| Handler::<Order>::handle(self, Order(said.0), ctx));
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), Meant>")]
struct File;

impl Handler<File> for Clerk {
    type Result = FailOnErr<(), Meant>;

    fn handle(&mut self, _: File, _: &mut Context<Self>) -> Self::Result {
        FailOnErr(Err(Meant))
    }
}

fn clerk() -> ActorProps<Clerk, impl supervision_actix::Factory<Clerk> + Send> {
    ActorProps::plain("/user/clerk", || Clerk).with_supervision(restart(usize::MAX, 0))
}

/// The message types in the records, by their last name.
async fn types(supervisor: &Addr<SupervisorActor<Clerk>>) -> Vec<String> {
    pass_a_second().await;
    let records = supervisor.send(GetFailureRecords::new()).await;
    let records = records.expect("answers").into_iter();
    let short = |name: String| name.rsplit("::").next().unwrap_or_default().to_owned();
    let names = records.map(|record| record.message_type.map_or("-".to_owned(), short));
    names.collect()
}

async fn both(supervisor: &Addr<SupervisorActor<Clerk>>) -> (Addr<Clerk>, TrackedAddr<Clerk>) {
    let tracked = supervisor.send(GetTrackedAddr::new()).await;
    let tracked = tracked.expect("answers").expect("is up");
    (tracked.address().clone(), tracked)
}

#[test]
fn a_tracked_message_is_named_however_its_handler_fails() {
    on_virtual_time(async {
        let supervisor = clerk().start();
        let (_, tracked) = both(&supervisor).await;
        for how in [
            How::Panic,
            How::Unwind,
            How::Fail,
            How::FailLater,
            How::WatchedPanic,
        ] {
            tracked.do_send(Order(how));
            pass_a_second().await;
        }
        tracked.do_send(Said(How::Fail));
        tracked.do_send(File);
        let expected = ["Order", "Order", "Order", "Order", "Order", "Said", "File"];
        assert_eq!(types(&supervisor).await, expected);
    });
}

#[test]
fn a_plain_message_is_named_where_its_handler_says_so() {
    on_virtual_time(async {
        let supervisor = clerk().start();
        let (plain, _) = both(&supervisor).await;
        for how in [
            How::Panic,
            How::Unwind,
            How::Fail,
            How::FailLater,
            How::WatchedPanic,
        ] {
            plain.do_send(Said(how));
            pass_a_second().await;
        }
        plain.do_send(File);
        let expected = ["Said", "Said", "Said", "Said", "Said", "File"];
        assert_eq!(types(&supervisor).await, expected);
    });
}

#[test]
fn no_message_is_named_that_did_not_fail() {
    on_virtual_time(async {
        let supervisor = clerk().start();
        let (plain, tracked) = both(&supervisor).await;
        // By nobody known, right after one that was.
        tracked.do_send(Order(How::Not));
        plain.do_send(Order(How::Panic));
        plain.do_send(Order(How::Fail));
        plain.do_send(Order(How::FailLater));
        pass_a_second().await;
        // A future that was made for a message fails when another one may have been handled since.
        tracked.do_send(Order(How::PanicLater));
        tracked.do_send(Order(How::Not));
        // Named where it was caught, by somebody else.
        pass_a_second().await;
        plain.do_send(Caught);
        plain.do_send(Order(How::Unwind));
        pass_a_second().await;
        supervisor.do_send(ReportFailure::of(Meant));
        assert_eq!(types(&supervisor).await, ["-", "-", "-", "-", "-", "-"]);
    });
}

/// Catches the panic of what it says it handles.
#[derive(Message)]
#[rtype(result = "()")]
struct Caught;

impl Handler<Caught> for Clerk {
    type Result = ();

    fn handle(&mut self, _: Caught, ctx: &mut Context<Self>) {
        let work = || ctx.handling::<Caught, ()>(|_| std::panic::resume_unwind(Box::new(MEANT)));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        assert!(caught.is_err());
    }
}

#[test]
fn a_child_of_a_group_names_its_messages_too() {
    on_virtual_time(async {
        let child = ChildProps::actor("clerk", clerk());
        let group = GroupProps::new("/group", GroupStrategy::OneForOne, restart(usize::MAX, 0));
        let group = group.child(child).start();
        group.started().await.expect("it starts");
        let supervisor = group.supervisor::<Clerk>("clerk").expect("it is there");
        let (_, tracked) = both(&supervisor).await;
        tracked.do_send(Order(How::Panic));
        tracked.do_send(Order(How::Fail));
        assert_eq!(types(&supervisor).await, ["Order", "Order"]);
        assert_eq!(tracked.counts().failed, 2);
    });
}

#[test]
fn a_stall_names_the_message_whose_future_holds_back_the_others() {
    on_virtual_time(async {
        let deadline = Duration::from_millis(100);
        let supervisor = clerk().with_stall_deadline(deadline).start();
        let (plain, tracked) = both(&supervisor).await;
        tracked.do_send(Order(How::WaitForEver));
        assert_eq!(types(&supervisor).await, ["Order"]);
        plain.do_send(Said(How::WaitForEver));
        assert_eq!(types(&supervisor).await, ["Order", "Said"]);
        plain.do_send(Order(How::WaitForEver));
        assert_eq!(types(&supervisor).await, ["Order", "Said", "-"]);
    });
}

/// Blocks the thread until the test lets go.
#[derive(Message)]
#[rtype(result = "()")]
struct Block(Receiver<()>);

impl Handler<Block> for Clerk {
    type Result = ();

    fn handle(&mut self, block: Block, _: &mut Context<Self>) {
        let _ = block.0.recv_timeout(Duration::from_secs(30));
    }
}

#[test]
fn a_blocked_thread_is_told_with_the_message_that_blocks_it() {
    silence();
    let (tell, told) = channel();
    let path = "/user/blocking-clerk";
    let guard = stalls::subscribe(move |blocked: &stalls::BlockedThread| {
        if blocked.path == path {
            let _ = tell.send(blocked.message_type);
        }
    });
    let system = System::new();
    let arbiter = system.block_on(async { Arbiter::new() });
    let names = system.block_on(async {
        let props = ActorProps::plain(path, || Clerk).with_supervision(restart(usize::MAX, 0));
        let props = props.with_stall_deadline(Duration::from_millis(200));
        let supervisor = props.start_in_arbiter(&arbiter.handle());
        let (plain, tracked) = both(&supervisor).await;
        let mut names = Vec::new();
        for is_tracked in [true, false] {
            let (let_go, block) = channel();
            if is_tracked {
                tracked.do_send(Block(block));
            } else {
                plain.do_send(Block(block));
            }
            let limit = Duration::from_secs(30);
            names.push(told.recv_timeout(limit).expect("it is told"));
            drop(let_go);
        }
        // Served after the blocked poll.
        tracked.send(Order(How::Not)).await.expect("it goes on");
        let records = supervisor.send(GetFailureRecords::new()).await;
        let records = records.expect("answers").into_iter();
        let recorded = records
            .map(|record| record.message_type)
            .collect::<Vec<_>>();
        let block = type_name::<Block>();
        assert_eq!(recorded, [Some(block.to_owned()), None]);
        names
    });
    assert_eq!(names, [Some(type_name::<Block>()), None]);
    drop(guard);
    arbiter.stop();
    arbiter.join().expect("no panic");
}
