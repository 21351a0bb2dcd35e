//! What a tracked message costs beside a plain one; to be read, not asserted.

use std::{hint::black_box, time::Instant};

use super::*;

struct Sink(u64);

impl Actor for Sink {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Add(u64);

impl Handler<Add> for Sink {
    type Result = u64;

    fn handle(&mut self, add: Add, _: &mut Context<Self>) -> u64 {
        self.0 += add.0;
        self.0
    }
}

const MESSAGES: u64 = 1_000_000;

/// Nanoseconds per tell, in batches of 100, and per ask.
macro_rules! measure {
    ($to:expr) => {{
        let to = $to;
        let began = Instant::now();
        for _ in 0..MESSAGES / 100 {
            for n in 0..99 {
                to.do_send(Add(n));
            }
            black_box(to.send(Add(1)).await).expect("answers");
        }
        let tell = began.elapsed().as_nanos() as u64 / MESSAGES;
        let began = Instant::now();
        for n in 0..MESSAGES / 10 {
            black_box(to.send(Add(n)).await).expect("answers");
        }
        (tell, began.elapsed().as_nanos() as u64 * 10 / MESSAGES)
    }};
}

/// `cargo nextest run --release -p supervision-actix --run-ignored only cost --no-capture`
#[test]
#[ignore = "prints a comparison"]
fn a_tracked_message_costs_not_much_more_than_a_plain_one() {
    System::new().block_on(async {
        for _ in 0..3 {
            let bare = measure!(Sink(0).start());
            let plain = measure!(ActorProps::plain("/user/sink", || Sink(0)).start_actor());
            let tracked = ActorProps::plain("/user/sink", || Sink(0)).start_tracked();
            let beside = measure!(tracked.address());
            let tracked = measure!(&tracked);
            println!("ns per (tell, ask): bare {bare:?}, plain {plain:?}, plain beside tracked {beside:?}, tracked {tracked:?}");
        }
    });
}
