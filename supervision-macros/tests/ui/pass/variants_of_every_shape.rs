//! Names of unit, tuple and struct variants, of generic enums, and of none.

use supervision_actix::prelude::*;

#[derive(ErrorVariants)]
#[allow(dead_code)]
enum Shapes<'a, T: ?Sized, const N: usize>
where
    T: 'a,
{
    Unit,
    Empty(),
    Tuple(&'a T, [u8; N]),
    Struct { of: u8 },
    #[doc(hidden)]
    Hidden,
}

#[derive(ErrorVariants)]
enum Never {}

#[derive(ErrorVariants)]
#[non_exhaustive]
enum One {
    r#Try,
}

fn main() {
    type Of<'a> = Shapes<'a, str, 1>;
    assert_eq!(Of::Unit.variant(), "Unit");
    assert_eq!(Of::Empty().variant(), "Empty");
    assert_eq!(Of::Tuple("", [0]).variant(), "Tuple");
    assert_eq!(Of::Struct { of: 1 }.variant(), "Struct");
    assert_eq!(One::Try.variant(), "Try");
    let _: fn(&Never) -> &'static str = Never::variant;
}
