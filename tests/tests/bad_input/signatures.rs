//! Cases 58 to 62: who signed what, and for whom.

use tocsin_core::statement::Act;
use tocsin_log::entry::{Entry, ROSTER_TYPE, STATEMENT_TYPE, pae};
use tocsin_log::hash::Hash;
use tocsin_tests::say::{self, Saying};
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::{peer, v1};

use crate::bytes::{SMALL_ORDER, frame, s_plus_order, small_order_r};
use crate::table::{Call, Caller, Deed, FOLLOW, Row, SUBMIT};
use crate::world::World;

const INVALID: &str = "InvalidArgument SIGNATURE_INVALID";

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = forged(world);
    rows.extend(contexts(world));
    rows
}

/// A good report of `de`; its one signature can be changed.
fn report(world: &World) -> v1::SubmitRequest {
    let key = world.network.key("de", "i-1");
    say::report("de", 7_001).sign(&[&key]).request()
}

fn signature(request: &mut v1::SubmitRequest) -> &mut v1::Signature {
    &mut request.statement.as_mut().unwrap().signatures[0]
}

fn forged(world: &World) -> Vec<Row> {
    use prost::Message as _;

    let good = report(world);
    let with = |change: &dyn Fn(&mut v1::Signature)| {
        let mut request = good.clone();
        change(signature(&mut request));
        request
    };
    let flipped = (0..512).map(|bit| {
        let request = with(&|signature| signature.sig[bit / 8] ^= 1 << (bit % 8));
        frame(&request.encode_to_vec())
    });
    let flipped = Call {
        caller: Caller::Home,
        path: SUBMIT,
        headers: Vec::new(),
        framed: flipped.collect(),
    };
    let payload = &good.statement.as_ref().unwrap().payload;
    let key = world.network.key("de", "i-1");
    let r = small_order_r(&key, &pae(STATEMENT_TYPE, payload));
    // What a manifest can never hold has the name that it would have.
    let small = [b"tocsin/key-id/v1\0\x01".as_slice(), &SMALL_ORDER].concat();
    let small = Hash::of(&small);
    vec![
        Row::new(
            58,
            "each of 512 bits of a signature flipped",
            INVALID,
            Deed::Call(flipped),
        ),
        Row::submit(
            59,
            "S + L for S",
            INVALID,
            &with(&|signature| signature.sig = s_plus_order(&signature.sig)),
        ),
        Row::submit(
            60,
            "R of small order",
            INVALID,
            &with(&|signature| signature.sig = r.clone()),
        ),
        Row::submit(
            60,
            "a key of small order",
            "PermissionDenied SIGNER_UNKNOWN",
            &with(&|signature| {
                signature.key_id = small.as_bytes().to_vec();
                signature.sig = [SMALL_ORDER, [0; 32]].concat();
            }),
        ),
        Row::submit(
            60,
            "another algorithm",
            "InvalidArgument SIGNATURE_ALGORITHM",
            &with(&|signature| signature.alg = 2),
        ),
    ]
}

fn contexts(world: &World) -> Vec<Row> {
    let key = world.network.key("de", "i-1");
    let saying = say::report("de", 7_002);
    let as_roster = Entry::sign(ROSTER_TYPE, saying.payload(), &[&key]);
    let request = |entry: &Entry| v1::SubmitRequest {
        statement: Some(write_statement(entry)),
        body: saying.bodies[0].clone(),
        ..v1::SubmitRequest::default()
    };
    let relabelled = Entry {
        payload_type: STATEMENT_TYPE.to_owned(),
        ..as_roster.clone()
    };
    let meant_for = |log: &str| {
        let mut saying = Saying::new("de", Act::Order(Box::new(say::order("EXERCISE"))));
        saying = saying.number(7_003);
        log.clone_into(&mut saying.statement.log);
        world.by_officers(&saying).request()
    };
    let hello = peer::v1::Hello {
        protocol: 1,
        member: "jp".to_owned(),
        roster_sha256: vec![7; 32],
        heads: Vec::new(),
    };
    vec![
        Row::submit(
            61,
            "signed as a roster, sent as a statement",
            INVALID,
            &request(&relabelled),
        ),
        Row::submit(
            61,
            "signed and sent as a roster",
            "InvalidArgument PAYLOAD_TYPE",
            &request(&as_roster),
        ),
        Row::submit(
            62,
            "meant for another alliance",
            "FailedPrecondition WRONG_ALLIANCE",
            &meant_for("other.tocsin.example/de"),
        ),
        Row::submit(
            62,
            "meant for another member's log",
            "PermissionDenied NOT_OUR_LOG",
            &meant_for("test.tocsin.example/us"),
        ),
        Row::call(
            62,
            "a peer with another genesis roster",
            "FailedPrecondition PEER_OF_OTHER_ALLIANCE",
            Caller::Node,
            FOLLOW,
            &peer::v1::FollowRequest {
                message: Some(peer::v1::follow_request::Message::Hello(hello)),
            },
        ),
    ]
}
