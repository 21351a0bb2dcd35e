//! Records, letters and keys as bytes and back; and bytes that are neither.

use bytes::Bytes;
use proptest::prelude::*;
use supervision_cluster::{
    codec::{DecodeError, Names, decode_letter, decode_record, encode_letter, encode_record},
    engine::Revision,
    protocol::{
        ActorPath, Answer, BootId, Epoch, KindName, LeaseRecord, Letter, Member, NotHandled,
        OwnRecord, OwnState, PeerMessage, Place, Record, RecordKey, Refusal, Request, RequestId,
        Stamp, Standing, StateRecord, Take,
    },
};
use supervision_core::NodeId;
use uuid::Uuid;

fn member() -> impl Strategy<Value = Member> {
    ("[a-zé]{1,8}", any::<u128>()).prop_map(|(node, boot)| Member {
        node: NodeId::new(node).unwrap(),
        boot: BootId(Uuid::from_u128(boot)),
    })
}

fn path() -> impl Strategy<Value = ActorPath> {
    "/[a-z/é.]{1,40}".prop_map(|path| ActorPath::new(path).unwrap())
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from)
}

fn epoch() -> impl Strategy<Value = Epoch> {
    any::<u64>().prop_map(|number| Epoch(Revision::new(number)))
}

fn id() -> impl Strategy<Value = RequestId> {
    (member(), any::<u64>()).prop_map(|(caller, seq)| RequestId { caller, seq })
}

fn request() -> impl Strategy<Value = Request> {
    (id(), path(), epoch(), any::<u64>(), bytes()).prop_map(|(id, path, epoch, floor, body)| {
        Request {
            id,
            path,
            epoch,
            floor,
            body,
        }
    })
}

fn message() -> impl Strategy<Value = PeerMessage> {
    let place = || (member(), epoch()).prop_map(|(owner, epoch)| Place { owner, epoch });
    let answer = prop_oneof![
        bytes().prop_map(Answer::Done),
        ".{0,20}".prop_map(Answer::Failed),
    ];
    let why = prop_oneof![
        place().prop_map(NotHandled::Moved),
        Just(NotHandled::Refused(Refusal::Fenced)),
    ];
    let answered =
        (id(), path(), place(), answer).prop_map(|(id, path, place, answer)| PeerMessage::Answer {
            id,
            path,
            place,
            answer,
        });
    let not_handled = (id(), path(), member(), why)
        .prop_map(|(id, path, by, why)| PeerMessage::NotHandled { id, path, by, why });
    let held = prop::collection::vec(request(), 0..5);
    let take = (path(), member(), epoch(), bytes(), held).prop_map(
        |(path, from, epoch, luggage, held)| {
            PeerMessage::Take(Take {
                path,
                kind: KindName::new("kind"),
                from,
                epoch,
                checkpoint: None,
                table: Default::default(),
                luggage,
                held,
            })
        },
    );
    prop_oneof![
        request().prop_map(PeerMessage::Request),
        answered,
        not_handled,
        take,
        (path(), epoch()).prop_map(|(path, epoch)| PeerMessage::Taken { path, epoch }),
    ]
}

fn letter() -> impl Strategy<Value = Letter> {
    (member(), any::<u64>(), message()).prop_map(|(from, number, message)| Letter {
        from,
        number,
        message,
    })
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (any::<u128>(), any::<u64>()).prop_map(|(boot, nonce)| Stamp {
        boot: BootId(Uuid::from_u128(boot)),
        nonce,
    })
}

fn record() -> impl Strategy<Value = (RecordKey, Record)> {
    let lease = (member(), prop::option::of(epoch()), bytes(), stamp()).prop_map(
        |(member, confirmed, profile, stamp)| {
            let key = RecordKey::Lease(member.node.clone());
            let former = Some((member.boot, confirmed));
            let record = LeaseRecord {
                member,
                standing: Standing::Alive,
                confirmed,
                former,
                profile,
                stamp,
            };
            (key, Record::Lease(record))
        },
    );
    let own = (
        path(),
        member(),
        prop::option::of(epoch()),
        any::<u32>(),
        stamp(),
    )
        .prop_map(|(path, owner, epoch, tries, stamp)| {
            let record = OwnRecord {
                kind: KindName::new("kind"),
                from: Some(owner.clone()),
                owner,
                epoch,
                state: OwnState::Owned,
                tries,
                stamp,
            };
            (RecordKey::Own(path), Record::Own(record))
        });
    let state = (path(), epoch(), prop::option::of(bytes()), id(), stamp()).prop_map(
        |(path, epoch, body, id, stamp)| {
            let mut table = supervision_cluster::protocol::RequestTable::default();
            table.note(&id, Answer::Failed("x".into()));
            let record = StateRecord {
                epoch,
                body,
                table,
                luggage: Bytes::new(),
                stamp,
            };
            (RecordKey::State(path), Record::State(record))
        },
    );
    prop_oneof![lease, own, state]
}

proptest! {
    #[test]
    fn a_letter_is_read_as_it_was_written(letter in letter()) {
        prop_assert_eq!(decode_letter(&encode_letter(&letter)), Ok(letter));
    }

    #[test]
    fn a_record_is_read_as_it_was_written((key, record) in record()) {
        prop_assert_eq!(decode_record(&key, &encode_record(&record)), Ok(record));
        let names = Names::new("cluster").unwrap();
        let name = names.key(&key).unwrap();
        prop_assert_eq!(names.record_key(&name), Some(key));
        prop_assert_eq!(Names::new("other").unwrap().record_key(&name), None);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_letter(&bytes);
        let mut versioned = vec![1];
        versioned.extend(&bytes);
        let _ = decode_letter(&versioned);
        for key in [
            RecordKey::Lease(NodeId::new("a").unwrap()),
            RecordKey::Own(ActorPath::new("/a").unwrap()),
            RecordKey::State(ActorPath::new("/a").unwrap()),
        ] {
            let _ = decode_record(&key, &versioned);
        }
    }

    #[test]
    fn a_letter_with_something_wrong_in_it_is_another_letter_or_none(
        letter in letter(),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut bytes = encode_letter(&letter).to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_ne!(decode_letter(&bytes), Ok(letter));
    }

    #[test]
    fn a_letter_that_is_cut_short_or_longer_is_none(letter in letter(), cut in any::<prop::sample::Index>()) {
        let bytes = encode_letter(&letter);
        prop_assert!(decode_letter(&bytes[..cut.index(bytes.len())]).is_err());
        let mut longer = bytes.to_vec();
        longer.push(0);
        prop_assert_eq!(decode_letter(&longer), Err(DecodeError::Trailing(1)));
    }
}

#[test]
fn a_later_coding_is_refused_by_its_version() {
    assert_eq!(decode_letter(&[]), Err(DecodeError::Empty));
    assert_eq!(
        decode_letter(&[2, 0]),
        Err(DecodeError::Version { found: 2 })
    );
}

#[test]
fn a_length_that_nothing_backs_allocates_nothing() {
    // A letter whose node's name claims to have 2^32 bytes.
    let hostile = [1, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(matches!(
        decode_letter(&hostile),
        Err(DecodeError::Malformed(_))
    ));
}
