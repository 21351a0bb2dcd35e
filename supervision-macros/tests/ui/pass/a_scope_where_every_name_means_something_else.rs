//! The expansion names everything by its full path.


#[allow(non_camel_case_types, non_upper_case_globals, unused_macros, dead_code)]
mod hostile {
    pub struct Option;
    pub struct Some;
    pub struct None;
    pub struct Result;
    pub struct Ok;
    pub struct Err;
    pub struct Box;
    pub struct Vec;
    pub struct String;
    pub struct Duration;
    pub struct Default;
    pub struct From;
    pub struct Context;
    pub struct SupervisionStrategy;
    pub struct usize;
    pub struct u64;
    pub struct str;
    pub mod std {}
    pub mod core {}
    pub mod actix {}
    pub const error: u8 = 0;
    pub const ctx: u8 = 0;
    pub const failure: u8 = 0;
    macro_rules! format {
        () => {};
    }
    macro_rules! matches {
        () => {};
    }

    #[derive(Debug)]
    pub enum Failed {
        Badly,
        Well,
    }

    impl ::std::fmt::Display for Failed {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            f.write_str("failed")
        }
    }

    impl ::std::error::Error for Failed {}

    #[derive(
        ::supervision_actix::DistributedActor,
        ::supervision_actix::SupervisedDistributedActor,
    )]
    #[actor(path = "/user/{id}")]
    #[supervision(
        on(Failed.Badly => restart(max = unlimited, delay = "1s"..="9s", factor = 3)),
        on(Failed => relocate(node("b"), max = unlimited, delay = "1ns")),
        on(panic => restart then relocate(random, max = 2) then resume),
        history = 1,
        restart_type = temporary,
        before_restart = Self::flush,
    )]
    pub struct Worker {
        pub id: ::core::primitive::u8,
    }

    impl Worker {
        fn flush(
            &mut self,
            _: &mut ::actix::Context<Self>,
            _: ::core::option::Option<::supervision_actix::FailureInfo>,
        ) {
        }
    }

    impl ::actix::Actor for Worker {
        type Context = ::actix::Context<Self>;
    }

    mod variants {
        use super::Failed;

        impl ::supervision_actix::ErrorVariants for Failed {
            fn variant(&self) -> &'static ::core::primitive::str {
                "Badly"
            }
        }
    }
}

use supervision_actix::{DistributedActor, SupervisedDistributedActor};

fn main() {
    let worker = hostile::Worker { id: 3 };
    assert_eq!(worker.actor_path(), "/user/3");
    assert_eq!(worker.supervision_strategy().validate(), Ok(()));
    assert_eq!(hostile::Worker::history_capacity(), 1);
    let _ = [hostile::Failed::Well, hostile::Failed::Badly];
}
