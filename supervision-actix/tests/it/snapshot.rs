//! Tree snapshots: what they say in every state of an actor and a group, and that nothing holds them
//! up.

mod groups;
mod lone;
mod many;
mod unresponsive;

use supervision_actix::{NodeSnapshot, TreeSnapshot, group::GroupHandle};

/// A snapshot that has been through JSON, which must not change it.
async fn tree(group: &GroupHandle) -> TreeSnapshot {
    through_json(group.snapshot().await)
}

fn through_json(tree: TreeSnapshot) -> TreeSnapshot {
    let text = serde_json::to_string(&tree).expect("it can be written");
    let read: TreeSnapshot = serde_json::from_str(&text).expect("it can be read");
    assert_eq!(read, tree);
    read
}

fn child<'a>(node: &'a NodeSnapshot, id: &str) -> &'a NodeSnapshot {
    node.child(id)
        .unwrap_or_else(|| panic!("no child {id} in {node}"))
}
