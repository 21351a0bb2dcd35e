//! `crate = path` says where the runtime is.


mod vendored {
    pub mod supervision {
        pub use supervision_actix::*;
    }
}

mod app {
    // Nothing here is called `supervision_actix`.
    mod supervision_actix {}

    use super::vendored::supervision::{DistributedActor, ErrorVariants, SupervisedDistributedActor};

    #[derive(DistributedActor, SupervisedDistributedActor)]
    #[actor(path = "/user/{0}", crate = crate::vendored::supervision)]
    #[supervision(
        crate = crate::vendored::supervision,
        on(Failed.Badly => restart(delay = "1s"..="9s")),
        default = relocate(node("b"), max = 1),
    )]
    pub struct Worker(pub u8);

    impl actix::Actor for Worker {
        type Context = actix::Context<Self>;
    }

    #[derive(Debug, thiserror::Error, ErrorVariants)]
    #[error_variants(crate = super::vendored::supervision)]
    pub enum Failed {
        #[error("badly")]
        Badly,
    }
}

use vendored::supervision::{DistributedActor, SupervisedDistributedActor};

fn main() {
    assert_eq!(app::Worker(7).actor_path(), "/user/7");
    assert_eq!(app::Worker(7).supervision_strategy().validate(), Ok(()));
    assert_eq!(app::Failed::Badly.to_string(), "badly");
}
