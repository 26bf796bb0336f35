//! `grpc.reflection.v1`: what is served here, for clients that were given no `.proto` files. It
//! says nothing that does not stand in `proto/`, and is behind the same certificates as the rest.

use tocsin_wire::proto::DESCRIPTORS;
use tonic_reflection::server::Error;
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};

use crate::limits;

/// The name of this very service.
const OWN_NAME: &str = "grpc.reflection.v1.ServerReflection";

/// Answers for the services with these names, and for itself.
///
/// # Errors
/// The committed descriptors cannot be read, which a test holds.
pub(crate) fn service(
    names: &[&str],
) -> Result<ServerReflectionServer<impl ServerReflection>, Error> {
    let mut builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(OWN_NAME);
    for name in names {
        builder = builder.with_service_name(*name);
    }
    let service = builder.build_v1()?;
    Ok(service
        .max_decoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_BULK_MESSAGE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_descriptors_can_be_read() {
        assert!(service(&["tocsin.v1.SubmitService"]).is_ok());
    }
}
