//! The faults this demo injects, every one derived from the seed: the same seed breaks the same
//! things at the same places.

use std::io;

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    seed: u64,
    one_in: u64,
}

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// Nothing is written.
    Refused,
    /// Part of the batch is written, the last line only by half.
    Torn,
    /// All is written, but nobody is told so.
    Unconfirmed,
}

/// Keeps the dice of the three kinds of fault apart.
#[derive(Clone, Copy)]
enum Place {
    Read,
    Parse,
    Write,
}

impl Faults {
    /// One write in `one_in` fails, and 0 means none. Of the lines, one in 400 times as many crashes
    /// the parser at the first try, and one in 800 times as many cannot be read at the first try.
    pub(crate) fn new(seed: u64, one_in: u64) -> Self {
        Self { seed, one_in }
    }

    /// Whether reading `line` fails at the first try.
    pub(crate) fn breaks_read(&self, line: u64) -> bool {
        self.hits(Place::Read, line, 800)
    }

    /// Panics if `line` is one that crashes the parser at the first try.
    pub(crate) fn crash_parser(&self, line: u64, tries: u32) {
        if tries == 0 && self.hits(Place::Parse, line, 400) {
            panic!("crashed for no reason of the record");
        }
    }

    /// How the `attempt`-th write of this run goes wrong, if it does.
    pub(crate) fn break_write(&self, attempt: u64) -> Option<WriteFault> {
        self.hits(Place::Write, attempt, 1)
            .then(|| match self.roll(Place::Write, !attempt) % 3 {
                0 => WriteFault::Refused,
                1 => WriteFault::Torn,
                _ => WriteFault::Unconfirmed,
            })
    }

    fn hits(&self, place: Place, at: u64, rarer: u64) -> bool {
        let one_in = self.one_in.saturating_mul(rarer);
        one_in > 0 && self.roll(place, at).is_multiple_of(one_in)
    }

    /// A number that depends on nothing but the seed and the place.
    fn roll(&self, place: Place, at: u64) -> u64 {
        let mut z = self.seed ^ at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = z.wrapping_add((place as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The error of a device that has a bad moment.
pub(crate) fn bad_moment(what: &str) -> io::Error {
    io::Error::other(format!("bad moment of the disk: {what}"))
}
