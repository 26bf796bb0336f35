//! After the handshake: silence, floods, limits, deadlines, and the end.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use tocsin_node::limits::{FREE_BYTES, ListenLimits, MAX_CONCURRENT_STREAMS};

use crate::world::{PATIENCE, World, client_hello_1_2, drain, send, short};

#[tokio::test]
async fn a_handshake_that_does_not_come_is_closed_at_its_timeout() {
    let world = World::new();
    let served = world.serve(short()).await;
    let start = Instant::now();
    let mut silent = served.tcp().await;
    let mut slow = served.tcp().await;
    let trickle = tokio::spawn(async move {
        for byte in client_hello_1_2().into_iter().take(40) {
            if slow.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _ended = drain(&mut slow).await;
    });
    let (bytes, _) = drain(&mut silent).await;
    assert!(bytes.is_empty());
    assert!(
        start.elapsed() >= Duration::from_millis(290),
        "{:?}",
        start.elapsed()
    );
    assert!(served.serves(&world).await);
    trickle.await.unwrap();
    assert_eq!(served.refused("handshake_timeout"), 2);
}

#[tokio::test]
async fn a_peer_that_falls_silent_after_the_handshake_is_cut() {
    let world = World::new();
    let served = world.serve(short()).await;
    let mut tls = served
        .tls(world.client(Some(&world.us_client("a"))))
        .await
        .unwrap();
    let _ended = drain(&mut tls).await;
    assert_eq!(served.refused("no_preface"), 1);

    let mut tls = served
        .tls(world.client(Some(&world.us_client("a"))))
        .await
        .unwrap();
    send(
        &mut tls,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    )
    .await;
    let _ended = drain(&mut tls).await;
    assert_eq!(served.refused("read_idle"), 1);
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut_and_others_are_not() {
    let world = World::new();
    let limits = ListenLimits {
        read_idle: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1_000);
    let config = world.client(Some(&world.us_client("slow")));
    let mut slow = served.h2_with(config, builder).await;
    let mut good = served
        .h2(world.client(Some(&world.us_client("good"))))
        .await;
    let response = slow
        .start("/test.Echo/Flood", &[])
        .await
        .unwrap()
        .await
        .unwrap();
    let ended = tokio::time::timeout(PATIENCE, slow.connection).await;
    assert!(
        ended.is_ok(),
        "the connection of the slow reader stayed open"
    );
    drop(response);
    assert_eq!(served.refused("write_stalled"), 1);
    assert_eq!(
        good.call("/test.Echo/Who", &[])
            .await
            .grpc_status()
            .as_deref(),
        Some("0")
    );
}

#[tokio::test]
async fn a_reader_that_leaves_no_room_for_an_answer_is_cut() {
    let world = World::new();
    let limits = ListenLimits {
        read_idle: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let config = world.client(Some(&world.us_client("closed")));
    let mut closed = served.h2_with(config, builder).await;
    let response = closed.start("/test.Echo/Flood", &[]).await.unwrap();
    let response = response.await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, closed.connection).await;
    assert!(ended.is_ok(), "an answer without a window stayed for ever");
    drop(response);
    assert_eq!(served.refused("write_stalled"), 1);
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn a_connection_that_brings_much_beside_its_requests_is_cut() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let config = world.client(Some(&world.us_client("a")));
    let mut tls = served.tls(config).await.unwrap();
    send(
        &mut tls,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    )
    .await;
    // Of a kind that nobody knows (RFC 9113 section 5.5), 9 and 16,384 bytes.
    let mut frame = vec![0, 0x40, 0, 0xee, 0, 0, 0, 0, 0];
    frame.resize(9 + 16_384, 7);
    let most = usize::try_from(FREE_BYTES).unwrap() / frame.len();
    let mut sent = 0;
    while sent < 2 * most && tls.write_all(&frame).await.is_ok() && tls.flush().await.is_ok() {
        sent += 1;
    }
    let _ended = drain(&mut tls).await;
    assert!(sent >= most, "cut after {sent} frames");
    let refused = || served.refused("flood");
    tokio::time::timeout(PATIENCE, async {
        while refused() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();

    // A client that asks as much as it likes is not.
    let mut peer = served.h2(world.client(Some(&world.us_client("b")))).await;
    for number in 0..2_000 {
        let much = format!("{number}{}", "x".repeat(1_500));
        let answer = peer.call("/test.Echo/Who", &[("x-much", &much)]).await;
        assert_eq!(answer.grpc_status().as_deref(), Some("0"));
    }
    assert_eq!(refused(), 1);
}

#[tokio::test]
async fn an_address_has_only_so_many_handshakes() {
    let world = World::new();
    let limits = ListenLimits {
        handshakes_per_address: 2,
        ..ListenLimits::default()
    };
    let served = world.serve(limits).await;
    let held = [served.tcp().await, served.tcp().await];
    let mut third = served.tcp().await;
    let _ended = drain(&mut third).await;
    assert_eq!(served.refused("too_many_of_address"), 1);
    let from = tokio::net::TcpSocket::new_v4().unwrap();
    from.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let elsewhere = from.connect(served.address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("us.demo.example").unwrap();
    let config = world.client(Some(&world.us_client("good")));
    let tls = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    tls.connect(name, elsewhere).await.unwrap();
    drop(held);
    tokio::time::timeout(PATIENCE, async {
        while served
            .tls(world.client(Some(&world.us_client("a"))))
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_name_has_only_so_many_connections() {
    let world = World::new();
    let served = world
        .serve(ListenLimits {
            per_name: 2,
            ..ListenLimits::default()
        })
        .await;
    let pair = world.us_client("a");
    let one = served.h2(world.client(Some(&pair))).await;
    let mut two = served.h2(world.client(Some(&pair))).await;
    two.call("/test.Echo/Who", &[]).await;
    let mut three = served.tls(world.client(Some(&pair))).await.unwrap();
    let _ended = drain(&mut three).await;
    assert_eq!(served.refused("too_many_of_name"), 1);
    assert!(
        served.serves(&world).await,
        "another name of the member still gets in"
    );

    drop(one.send);
    one.connection.await.unwrap();
    let open = || served.metrics.connections.get();
    tokio::time::timeout(PATIENCE, async {
        while open() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let mut again = served.h2(world.client(Some(&pair))).await;
    assert_eq!(
        again
            .call("/test.Echo/Who", &[])
            .await
            .grpc_status()
            .as_deref(),
        Some("0")
    );
}

#[tokio::test]
async fn a_late_answer_is_deadline_exceeded_with_our_reason() {
    let world = World::new();
    let served = world.serve(short()).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    for timeout in ["1n", "50m", "99999999H", "abc"] {
        let answer = peer
            .call("/test.Echo/Never", &[("grpc-timeout", timeout)])
            .await;
        assert_eq!(answer.grpc_status().as_deref(), Some("4"), "{timeout}");
        let status = tonic::Status::from_header_map(&answer.headers).unwrap();
        let info = tonic_types::StatusExt::get_details_error_info(&status).unwrap();
        assert_eq!(
            (info.domain.as_str(), info.reason.as_str()),
            ("tocsin", "DEADLINE_EXCEEDED")
        );
    }
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn what_is_not_grpc_is_not_dispatched() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    for kind in ["text/html", "application/json", "application/grpcx"] {
        let answer = peer.call("/test.Echo/Who", &[("content-type", kind)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (415, 0),
            "{kind}"
        );
    }
    let answer = peer.call("/test.Echo/Nothing", &[]).await;
    assert_eq!(answer.grpc_status().as_deref(), Some("12"));
}

#[tokio::test]
async fn headers_beyond_the_limit_and_streams_beyond_the_limit_are_refused() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    let answer = peer
        .start("/test.Echo/Who", &[("x-long", &"x".repeat(65_536))])
        .await;
    // Reset or 431: which of the two is up to the HTTP/2 library.
    let refused = match answer {
        Err(_) => true,
        Ok(answer) => answer
            .await
            .map_or(true, |answer| answer.status().as_u16() == 431),
    };
    assert!(refused);
    assert!(served.serves(&world).await);

    let mut peer = served.h2(world.client(Some(&world.us_client("b")))).await;
    peer.call("/test.Echo/Who", &[]).await;
    let most = usize::try_from(MAX_CONCURRENT_STREAMS).unwrap();
    assert_eq!(peer.send.current_max_send_streams(), most);
}

#[tokio::test]
async fn a_stop_ends_streams_after_the_time_to_say_goodbye() {
    let world = World::new();
    let limits = ListenLimits {
        write_stall: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    let stream = peer
        .start("/test.Echo/Flood", &[])
        .await
        .unwrap()
        .await
        .unwrap();
    served.stop.cancel();
    tokio::time::timeout(PATIENCE, served.task)
        .await
        .unwrap()
        .unwrap();
    drop(stream);
}

#[tokio::test]
async fn an_old_connection_is_told_to_go_and_then_cut() {
    let world = World::new();
    let limits = ListenLimits {
        age: Duration::from_millis(200),
        goodbye: Duration::from_millis(200),
        write_stall: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    let stream = peer
        .start("/test.Echo/Flood", &[])
        .await
        .unwrap()
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, peer.connection)
        .await
        .unwrap()
        .unwrap();
    drop(stream);
    assert_eq!(served.refused("old"), 1);
}
