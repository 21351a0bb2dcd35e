//! The letters between two nodes: numbered where they leave, and taken once where they arrive.
//!
//! Why: "this was not handled" is only true of a message of which no copy can turn up later.

use std::collections::BTreeMap;

use super::{message::Letter, record::Member};

/// What a node has sent to each other one, and what it has taken from each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Links {
    sent: BTreeMap<Member, u64>,
    taken: BTreeMap<Member, Window>,
}

/// The latest numbers that were taken. One that is older than all of them may have been, and counts as
/// lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Window {
    latest: u64,
    /// Bit `i`: `latest - i` was taken.
    taken: u128,
}

impl Links {
    pub(crate) fn number(&mut self, to: &Member) -> u64 {
        let sent = self.sent.entry(to.clone()).or_insert(0);
        *sent += 1;
        *sent
    }

    /// Whether a letter is to be taken: it is no copy of one that was.
    pub(crate) fn take(&mut self, letter: &Letter) -> bool {
        self.taken
            .entry(letter.from.clone())
            .or_default()
            .take(letter.number)
    }
}

impl Window {
    fn take(&mut self, number: u64) -> bool {
        if number > self.latest {
            let by = u32::try_from(number - self.latest).unwrap_or(u32::MAX);
            self.taken = self.taken.checked_shl(by).unwrap_or(0) | 1;
            self.latest = number;
            return true;
        }
        let age = u32::try_from(self.latest - number).unwrap_or(u32::MAX);
        let Some(bit) = 1_u128.checked_shl(age) else {
            return false;
        };
        let new = self.taken & bit == 0;
        self.taken |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn each_number_is_taken_once_in_whatever_order_they_come() {
        let mut window = Window::default();
        for number in [3, 1, 2, 130, 4] {
            assert!(window.take(number), "{number}");
        }
        for number in [3, 1, 2, 130, 4] {
            assert!(!window.take(number), "{number}");
        }
    }

    #[test]
    fn what_is_too_old_to_be_known_is_not_taken() {
        let mut window = Window::default();
        assert!(window.take(1000));
        assert!(!window.take(1000 - 128));
        assert!(window.take(1000 - 127));
        assert!(window.take(u64::MAX));
        assert!(!window.take(1000));
    }
}
