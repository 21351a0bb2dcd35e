//! A supervised actor's path as it is kept: in place while it is short, as most are.

use std::fmt;

/// Bytes that fit beside the length; a pointer to more is not larger.
const IN_PLACE: usize = 22;

/// A path. Each actor has one and reads it only when something happens to it.
pub(crate) struct ActorPath(Kept);

enum Kept {
    Short { length: u8, text: [u8; IN_PLACE] },
    Long(Box<str>),
}

impl From<String> for ActorPath {
    fn from(path: String) -> Self {
        let mut text = [0; IN_PLACE];
        Self(match text.get_mut(..path.len()) {
            Some(room) => {
                room.copy_from_slice(path.as_bytes());
                let length = path.len() as u8;
                Kept::Short { length, text }
            }
            None => Kept::Long(path.into_boxed_str()),
        })
    }
}

impl ActorPath {
    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Short { length, text } => {
                let text = text.get(..usize::from(*length)).unwrap_or_default();
                // It was put there whole, so it is text.
                std::str::from_utf8(text).unwrap_or_default()
            }
            Kept::Long(path) => path,
        }
    }
}

impl fmt::Display for ActorPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_all_lengths_are_kept_as_they_are() {
        for length in 0..100 {
            let plain = "/user/a".chars().cycle().take(length).collect::<String>();
            assert_eq!(ActorPath::from(plain.clone()).as_str(), plain);
            // Of two bytes each, so that some would be cut in two.
            let wide = "\u{e9}".repeat(length);
            assert_eq!(ActorPath::from(wide.clone()).as_str(), wide);
        }
    }

    #[test]
    fn a_short_path_takes_no_more_room_than_a_string_without_its_text() {
        assert_eq!(size_of::<ActorPath>(), size_of::<String>());
    }
}
