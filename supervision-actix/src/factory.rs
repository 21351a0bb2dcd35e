//! Where new incarnations come from.

use std::error::Error;

/// Makes the value of each incarnation, the first one included.
///
/// Called on the arbiter the actor runs on, inside its own task. A panic or an `Err` is a failure
/// of the start and is answered by the actor's strategy like any other failure.
pub trait Factory<A>: 'static {
    /// Makes a value.
    ///
    /// # Errors
    /// Whatever kept it from being made; its type is matched by the strategy's rules.
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>>;
}

impl<A: 'static> Factory<A> for Box<dyn Factory<A>> {
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>> {
        (**self).create()
    }
}

/// Clones one value, the prototype, for each incarnation.
#[derive(Debug)]
pub struct Prototype<A>(pub(crate) A);

/// Calls a closure for each incarnation.
#[derive(Debug)]
pub struct FromFn<F>(pub(crate) F);

/// Calls a closure that may return an error for each incarnation.
#[derive(Debug)]
pub struct FromTryFn<F>(pub(crate) F);

impl<A: Clone + 'static> Factory<A> for Prototype<A> {
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>> {
        Ok(self.0.clone())
    }
}

impl<A, F: FnMut() -> A + 'static> Factory<A> for FromFn<F> {
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>> {
        Ok((self.0)())
    }
}

impl<A, E, F> Factory<A> for FromTryFn<F>
where
    E: Into<Box<dyn Error + Send + Sync>>,
    F: FnMut() -> Result<A, E> + 'static,
{
    fn create(&mut self) -> Result<A, Box<dyn Error + Send>> {
        (self.0)().map_err(|error| -> Box<dyn Error + Send> { error.into() })
    }
}
