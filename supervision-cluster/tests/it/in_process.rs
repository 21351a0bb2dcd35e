//! The engine within one process.

use std::sync::Arc;

use supervision_cluster::engine::{
    Engine,
    in_process::{InProcess, Options},
};

use crate::contract::engine_contract;

/// Runs something on one thread in virtual time.
pub(crate) fn virtually<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(run)
}

fn connecting(engine: &InProcess) -> impl Fn(&str) -> Arc<dyn Engine> {
    |node| engine.connect(node)
}

#[test]
fn it_keeps_the_contract_in_virtual_time() {
    virtually(async {
        let engine = InProcess::new(Options::seeded(1));
        engine_contract(connecting(&engine)).await;
    });
}
