//! Durations as people write them: serialized as `"1m 30s"`, read as that or as serde's own form.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value},
};

pub(crate) fn serialize<S: Serializer>(d: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_str(&humantime::format_duration(*d))
    } else {
        d.serialize(serializer)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(TextOrParts)
    } else {
        Duration::deserialize(deserializer)
    }
}

struct TextOrParts;

impl<'de> Visitor<'de> for TextOrParts {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"1m 30s\" or {\"secs\": 90, \"nanos\": 0}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text)
            .map_err(|e| E::custom(format_args!("invalid duration {:?}: {e}", shortened(text))))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Duration, M::Error> {
        Duration::deserialize(value::MapAccessDeserializer::new(map))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Duration, S::Error> {
        Duration::deserialize(value::SeqAccessDeserializer::new(seq))
    }
}

/// Hostile input is not echoed at length.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
