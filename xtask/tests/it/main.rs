//! What must not grow unnoticed.

mod allocations;
