//! Paths from fields, by name and by position, with braces of their own.

use actix::prelude::*;
use supervision_actix::prelude::*;

#[derive(DistributedActor)]
#[actor(path = "/{0}/{1}/{0}")]
struct Pair(u8, &'static str);

#[derive(DistributedActor)]
#[actor(path = "/{{user}}/{r#type}/}}{name}")]
struct Named {
    r#type: char,
    name: String,
}

#[derive(DistributedActor)]
#[actor(path = "{0}")]
struct Whole(String);

#[derive(DistributedActor)]
#[actor(path = "/{{no field}}")]
struct Fixed;

impl Actor for Pair {
    type Context = Context<Self>;
}
impl Actor for Named {
    type Context = Context<Self>;
}
impl Actor for Whole {
    type Context = Context<Self>;
}
impl Actor for Fixed {
    type Context = Context<Self>;
}

fn main() {
    assert_eq!(Pair(1, "b").actor_path(), "/1/b/1");
    let named = Named { r#type: 't', name: "n".to_owned() };
    assert_eq!(named.actor_path(), "/{user}/t/}n");
    assert_eq!(Whole("/w".to_owned()).actor_path(), "/w");
    assert_eq!(Fixed.actor_path(), "/{no field}");
}
