//! Old code with two bugs, kept on purpose: every system has a routine that panics on input nobody
//! thought of. Its panics are the poison of this demo.

/// The price of one piece. Panics on an order of nothing.
pub(crate) fn cents_each(cents: u64, qty: u32) -> u64 {
    cents / u64::from(qty)
}

/// The shelf, which the first three letters of an article's number name. Panics on a shorter one.
pub(crate) fn shelf(sku: &str) -> &str {
    &sku[..3]
}
