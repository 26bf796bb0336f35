//! What comes in at the door, from the message to the judgement.
#![no_main]
use libfuzzer_sys::fuzz_target;
use prost::Message;
use tocsin_wire::proto::v1;
use tocsin_wire::{receipt, submission};

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = v1::SubmitRequest::decode(data)
        && let Ok(submission) = submission::read(&request)
    {
        // Its form is good; what it says is judged by the target `statement`.
        let _ = submission.entry.encode();
    }
    if let Ok(message) = v1::Receipt::decode(data)
        && let Ok(read) = receipt::Receipt::read(&message)
    {
        assert_eq!(receipt::Receipt::read(&read.write()).ok(), Some(read));
    }
});
