//! The lots that rendezvous hashing draws: one for each path and node, the same on every machine.
//!
//! Members of one cluster must agree, whatever they were compiled with, so nothing here may ever
//! change, and no floating point is used, whose logarithm differs between platforms:
//!
//! 1. A name's hash is XXH3 (64 bits, seed 0) of its UTF-8 bytes.
//! 2. The score of a path on a node is the 128-bit product of both hashes, each XORed with a
//!    constant of its own, its halves XORed: one multiplication, and uniform over 64 bits.
//! 3. Where weights differ, the first is the one with the least `-log2(score / 2^64) / weight`: an
//!    exponential lot with the weight as its rate, so that the least one is a node's with a
//!    probability in proportion to its weight. Between nodes of one weight that is the larger
//!    score. What still ties (one in 2^64) goes to the smaller name.

use std::{cmp::Ordering, num::NonZeroU16};

use xxhash_rust::xxh3::xxh3_64;

const PATH_MASK: u64 = 0x9E37_79B9_7F4A_7C15;
const NODE_MASK: u64 = 0xC2B2_AE3D_27D4_EB4F;

/// The hash of a path, as it enters [`score`].
pub(super) fn path_hash(path: &str) -> u64 {
    xxh3_64(path.as_bytes()) ^ PATH_MASK
}

/// The hash of a node's name, as it enters [`score`].
pub(super) fn node_hash(name: &str) -> u64 {
    xxh3_64(name.as_bytes()) ^ NODE_MASK
}

pub(super) fn score(path: u64, node: u64) -> u64 {
    let product = u128::from(path) * u128::from(node);
    let (high, low) = ((product >> 64) as u64, product as u64);
    high ^ low
}

/// What a node has drawn for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lot {
    pub(super) score: u64,
    pub(super) weight: NonZeroU16,
}

impl Lot {
    pub(super) fn draw(path: u64, node: u64, weight: NonZeroU16) -> Self {
        Self {
            score: score(path, node),
            weight,
        }
    }

    /// `Less` if this one comes first in the order of the path.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        if self.weight == other.weight {
            return other.score.cmp(&self.score);
        }
        // a / v < b / w, as a * w < b * v: 47 and 16 bits, so nothing overflows.
        let this = minus_log2(self.score) * u64::from(other.weight.get());
        let that = minus_log2(other.score) * u64::from(self.weight.get());
        this.cmp(&that).then(other.score.cmp(&self.score))
    }
}

/// Bits after the point of a logarithm.
const FRACTION: u32 = 40;
/// The table has an entry for each value of so many bits.
const TABLE_BITS: u32 = 8;

/// `log2(1 + i / 256)`, so many bits after the point, rounded down.
const LOG2: [u64; (1 << TABLE_BITS) + 1] = log2_table();

/// `-log2(score / 2^64)` with [`FRACTION`] bits after the point, by linear interpolation: never
/// rising with the score, and within 1/1000 of its value.
fn minus_log2(score: u64) -> u64 {
    let score = score | 1;
    let zeros = score.leading_zeros();
    let mantissa = score << zeros << 1;
    let (at, rest) = (mantissa >> (64 - TABLE_BITS), mantissa << TABLE_BITS >> 33);
    let at = at as usize;
    let log2 = LOG2[at] + (((LOG2[at + 1] - LOG2[at]) * rest) >> 31);
    (u64::from(zeros + 1) << FRACTION) - log2
}

/// Bit by bit: squaring a number doubles its logarithm.
const fn log2_table() -> [u64; (1 << TABLE_BITS) + 1] {
    let mut table = [0; (1 << TABLE_BITS) + 1];
    let mut i = 0;
    while i < 1 << TABLE_BITS {
        let mut x = ((1 << TABLE_BITS) + i as u64) << (63 - TABLE_BITS);
        let mut bit = FRACTION;
        while bit > 0 {
            bit -= 1;
            let square = (x as u128 * x as u128) >> 63;
            if square >> 64 == 1 {
                table[i] |= 1 << bit;
                x = (square >> 1) as u64;
            } else {
                x = square as u64;
            }
        }
        i += 1;
    }
    table[i] = 1 << FRACTION;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(of: u16) -> NonZeroU16 {
        NonZeroU16::new(of).expect("not zero")
    }

    #[test]
    fn the_hashes_never_change() {
        // As the reference implementation gives them, by way of Python.
        assert_eq!(path_hash("") ^ PATH_MASK, 0x2D06_8005_38D3_94C2);
        assert_eq!(node_hash("a") ^ NODE_MASK, 0xE6C6_32B6_1E96_4E1F);
        let long = path_hash(&format!("/user/{}", "x".repeat(300)));
        assert_eq!(long ^ PATH_MASK, 0x575B_76B3_3D10_3A1A);
        assert_eq!(score(3, 5), 15);
        assert_eq!(score(u64::MAX, 2), 1 ^ (u64::MAX - 1));
        let scores = ["node-1", "node-2", "node-3"]
            .map(|node| score(path_hash("/user/worker/7"), node_hash(node)));
        let expected = [
            2_660_696_549_698_398_835,
            11_103_199_234_119_905_147,
            6_115_617_808_700_688_771,
        ];
        assert_eq!(scores, expected);
    }

    #[test]
    fn the_logarithm_is_close_and_never_rises() {
        let mut last = u64::MAX;
        for step in 0..200_000u64 {
            let score = step * (u64::MAX / 200_000) + 1;
            let (ours, exact) = (minus_log2(score), 64.0 - (score as f64).log2());
            assert!(ours <= last, "{score}");
            last = ours;
            if step < 199_000 {
                let ours = ours as f64 / (1u64 << FRACTION) as f64;
                assert!(
                    (ours - exact).abs() <= exact / 1_000.0,
                    "{score}: {ours} {exact}"
                );
            }
        }
        assert_eq!(minus_log2(0), 64 << FRACTION);
        assert_eq!(minus_log2(u64::MAX / 2 + 1), 1 << FRACTION);
        assert!((1..1 << 10).contains(&minus_log2(u64::MAX)));
    }

    #[test]
    fn neighbours_at_the_borders_of_the_table_are_in_order() {
        for exponent in 1..64 {
            for at in 0..=256u64 {
                let border = (((1u128 << 64) * u128::from(256 + at)) >> 8 >> exponent) as u64;
                for near in border.saturating_sub(2)..border.saturating_add(2) {
                    assert!(
                        minus_log2(near) >= minus_log2(near.saturating_add(1)),
                        "{near}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_heavier_node_comes_before_a_lighter_one_with_the_same_score() {
        for score in [1, 1 << 32, u64::MAX / 2, u64::MAX - 5] {
            let lot = |of| Lot {
                score,
                weight: weight(of),
            };
            assert_eq!(lot(2).order(&lot(1)), Ordering::Less);
            assert_eq!(lot(u16::MAX).order(&lot(u16::MAX - 1)), Ordering::Less);
            assert_eq!(lot(7).order(&lot(7)), Ordering::Equal);
        }
    }
}
