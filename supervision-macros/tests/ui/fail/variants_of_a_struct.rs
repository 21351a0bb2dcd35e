//! A struct has none.

use supervision_actix::prelude::*;

#[derive(ErrorVariants)]
#[error_variants(carte = supervision_actix)]
struct Timeout;

fn main() {}
