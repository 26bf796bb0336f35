//! Case 25: a watcher that stops reading is cut, and resumes at its cursor; others notice nothing.

use std::time::{Duration, Instant};

use prost::Message as _;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::notice_service_client::NoticeServiceClient;
use tocsin_wire::proto::v1::watch_notices_response::Event;
use tokio::task::JoinHandle;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::bytes;
use crate::socket::{Pair, Spoken, Target};
use crate::table::{Acting, Deed, Row};
use crate::world::World;

/// Its case.
pub const NUMBER: u16 = 25;
/// Unread bytes that the reader allows: one short notice and less than two long ones.
const WINDOW: u32 = 4_096;
/// How many orders the watchers must hear of after the first: a long one each.
const LONG_ORDERS: usize = 4;

pub fn rows() -> Vec<Row> {
    let expected = "cut, resumed at its cursor, others unaffected";
    let sent = "a watcher that stops reading";
    vec![Row::new(NUMBER, sent, expected, Deed::Do(slow_reader))]
}

fn slow_reader(world: &World) -> Acting<'_> {
    let running = world.slow.lock().unwrap().take();
    Box::pin(async move { running.unwrap().await.unwrap() })
}

/// Begins to watch, slowly and beside that well, and goes on in the background.
pub async fn start(channel: Channel, target: &Target, pair: &Pair) -> JoinHandle<String> {
    let steady = watch(channel.clone(), String::new()).await;
    let asked = v1::WatchNoticesRequest {
        filter: FILTER.to_owned(),
        ..v1::WatchNoticesRequest::default()
    };
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(WINDOW);
    let mut peer = target.h2(pair, &builder).await;
    let framed = bytes::frame(&asked.encode_to_vec());
    let response = peer.start("/tocsin.v1.NoticeService/WatchNotices", &[], &framed);
    let mut stream = response.await.unwrap().await.unwrap().into_body();
    let mut read = Vec::new();
    let cursor = loop {
        // Nothing is released: the window only shrinks.
        read.extend(stream.data().await.unwrap().unwrap());
        if let Some(cursor) = first_cursor(&read) {
            break cursor;
        }
    };
    let stopped = Instant::now();
    tokio::spawn(async move {
        let others = hear(steady, LONG_ORDERS + 1).await;
        let cut = tokio::time::timeout(Duration::from_secs(25), peer.connection).await;
        drop(stream);
        let after = stopped.elapsed();
        if cut.is_err() || after < Duration::from_secs(9) {
            return format!("cut: {}, after {after:?}", cut.is_ok());
        }
        let resumed = hear(watch(channel, cursor).await, LONG_ORDERS).await;
        match (others, resumed) {
            (true, true) => "cut, resumed at its cursor, others unaffected".to_owned(),
            (others, resumed) => format!("others heard all: {others}; resumed: {resumed}"),
        }
    })
}

const FILTER: &str = "issuer = \"us\"";

async fn watch(channel: Channel, cursor: String) -> Streaming<v1::WatchNoticesResponse> {
    let start = if cursor.is_empty() {
        v1::WatchStart::Beginning
    } else {
        v1::WatchStart::Cursor
    };
    let asked = v1::WatchNoticesRequest {
        filter: FILTER.to_owned(),
        start: start.into(),
        cursor,
        ..v1::WatchNoticesRequest::default()
    };
    let mut client = NoticeServiceClient::new(channel);
    client.watch_notices(asked).await.unwrap().into_inner()
}

/// Whether notices on so many orders come.
async fn hear(mut stream: Streaming<v1::WatchNoticesResponse>, orders: usize) -> bool {
    let mut heard = std::collections::BTreeSet::new();
    let all = async {
        while heard.len() < orders {
            let response = stream.message().await.unwrap().unwrap();
            if let Some(Event::Notice(notice)) = response.event {
                heard.insert(notice.order);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .is_ok()
}

/// The cursor beside the first notice, once it is there.
fn first_cursor(mut read: &[u8]) -> Option<String> {
    loop {
        let length = read.get(1..5)?.try_into().unwrap();
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
        let message = v1::WatchNoticesResponse::decode(read.get(5..5 + length)?).unwrap();
        if matches!(message.event, Some(Event::Notice(_))) && !message.cursor.is_empty() {
            return Some(message.cursor);
        }
        read = &read[5 + length..];
    }
}
