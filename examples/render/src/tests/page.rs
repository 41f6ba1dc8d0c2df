//! A page with vtk.js as a server sees it: what it sends, frame by frame, and what comes back.

use std::{collections::HashMap, fmt};

use serde_json::{Value as Json, json};
use wslink::Value;

use super::harness::{Got, Peer, ProtocolVersion, TestServer, chunk};

const TOPIC: &str = "publish:viewport.image.push.subscription:0";

/// A page with vtk.js, frame by frame.
pub(super) struct Page {
    peer: Peer,
    protocol: ProtocolVersion,
    sent: u32,
    /// What has come of messages of protocol 2, by their ids.
    chunks: HashMap<Vec<u8>, Vec<u8>>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Message {
    Reply { id: String, result: Json },
    Failure { code: i64 },
    Image(Image),
}

#[derive(Clone, PartialEq)]
pub(super) struct Image {
    pub(super) jpeg: Vec<u8>,
    /// The event without the picture.
    pub(super) event: Json,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes with {}", self.jpeg.len(), self.event)
    }
}

impl Image {
    pub(super) fn size(&self) -> [u64; 2] {
        let told = [&self.event["size"][0], &self.event["size"][1]].map(|length| length.as_u64().unwrap());
        assert_eq!(dimensions(&self.jpeg), told, "the JPEG has another size than the event tells");
        told
    }

    pub(super) fn number(&self) -> u64 {
        self.event["mtime"].as_u64().unwrap()
    }
}

impl Page {
    pub(super) fn open(server: &TestServer, protocol: ProtocolVersion) -> Self {
        let mut page = Self { peer: server.connect(), protocol, sent: 0, chunks: HashMap::new() };
        page.send("system:c0:0", "wslink.hello", &json!([{"secret": "wslink-secret"}]));
        assert!(matches!(page.next(), Message::Reply { .. }));
        page
    }

    /// A page that observes the view at 120 × 90 and has its first picture.
    pub(super) fn observing(server: &TestServer, protocol: ProtocolVersion) -> (Self, Image) {
        let mut page = Self::open(server, protocol);
        page.call("viewport.image.push.observer.add", json!(["-1"]));
        page.image();
        page.call("viewport.image.push.original.size", json!(["-1", 120, 90]));
        page.call("viewport.image.push", json!([{"view": "-1", "size": [1, 1]}]));
        let image = page.image();
        (page, image)
    }

    fn send(&mut self, id: &str, method: &str, args: &Json) {
        let message = json!({"wslink": "1.0", "id": id, "method": method, "args": args, "kwargs": {}});
        match self.protocol {
            ProtocolVersion::V1 => self.peer.text(&message.to_string()),
            ProtocolVersion::V2 => {
                self.sent += 1;
                let body = rmp_serde::to_vec(&message).unwrap();
                self.peer.binary(chunk(self.sent, 0, body.len(), &body));
            }
        }
    }

    pub(super) fn begin(&mut self, method: &str, args: &Json) -> String {
        self.sent += 1;
        let id = format!("rpc:c0:{}", self.sent);
        self.send(&id, method, args);
        id
    }

    /// Calls, and returns what is answered; pictures that come before are let go.
    pub(super) fn ask(&mut self, method: &str, args: &Json) -> Message {
        self.begin(method, args);
        loop {
            let message = self.next();
            if !matches!(message, Message::Image(_)) {
                return message;
            }
        }
    }

    pub(super) fn call(&mut self, method: &str, args: Json) -> Json {
        match self.ask(method, &args) {
            Message::Reply { result, .. } => result,
            other => panic!("{method}{args}: {other:?}"),
        }
    }

    /// The next picture; replies that come before are let go.
    pub(super) fn image(&mut self) -> Image {
        loop {
            if let Message::Image(image) = self.next() {
                return image;
            }
        }
    }

    /// What the view looks like now.
    pub(super) fn looked(&mut self) -> Image {
        self.call("viewport.image.push", json!([{"view": 1}]));
        self.image()
    }

    /// What it looks like once nothing is under way any more.
    pub(super) fn settled(&mut self) -> Image {
        let mut last = self.looked();
        for _ in 0..20 {
            let next = self.looked();
            if next.jpeg == last.jpeg {
                return next;
            }
            last = next;
        }
        panic!("the view never settles")
    }

    pub(super) fn mouse(&mut self, action: &str, button: &str, x: f64, y: f64) {
        let event = json!({"view": "-1", "action": action, "x": x, "y": y, button: 1, "shiftKey": 0, "metaKey": 0});
        self.call("viewport.mouse.interaction", json!([event]));
    }

    pub(super) fn wheel(&mut self, stage: &str, spin: f64) -> Json {
        self.call("viewport.mouse.zoom.wheel", json!([{"type": stage, "view": "-1", "x": 0.5, "y": 0.5, "spinY": spin}]))
    }

    pub(super) fn next(&mut self) -> Message {
        let mut attached = None;
        loop {
            match (self.protocol, self.peer.next()) {
                (ProtocolVersion::V1, Got::Binary(bytes)) => attached = Some(bytes),
                (ProtocolVersion::V1, Got::Text(text)) => {
                    let message: Json = serde_json::from_str(&text).unwrap();
                    if message["method"] != "wslink.binary.attachment" {
                        return Message::of(message, attached);
                    }
                }
                (ProtocolVersion::V2, Got::Binary(chunk)) => {
                    let (header, content) = chunk.split_at(12);
                    let message = self.chunks.entry(header[..4].to_vec()).or_default();
                    message.extend_from_slice(content);
                    if message.len() < u32::from_le_bytes(header[8..].try_into().unwrap()) as usize {
                        continue;
                    }
                    let value: Value = rmp_serde::from_slice(message).unwrap();
                    self.chunks.remove(&header[..4]);
                    let image = value.get("result").and_then(|result| result.get("image"));
                    let attached = match image {
                        Some(Value::Binary(bytes)) => Some(bytes.to_vec()),
                        _ => None,
                    };
                    return Message::of(serde_json::to_value(&value).unwrap(), attached);
                }
                (protocol, got) => panic!("{protocol:?} {got:?}"),
            }
        }
    }
}

impl Message {
    fn of(mut message: Json, attached: Option<Vec<u8>>) -> Self {
        let id = message["id"].as_str().unwrap().to_owned();
        if let Some(error) = message.get("error") {
            return Self::Failure { code: error["code"].as_i64().unwrap() };
        }
        let mut result = message["result"].take();
        match attached {
            None => Self::Reply { id, result },
            Some(jpeg) => {
                assert_eq!(id, TOPIC);
                result.as_object_mut().unwrap().remove("image").unwrap();
                Self::Image(Image { jpeg, event: result })
            }
        }
    }
}

/// Width and height, as a JPEG's frame header has them.
fn dimensions(jpeg: &[u8]) -> [u64; 2] {
    assert_eq!(jpeg[..2], [0xff, 0xd8], "no JPEG");
    let mut at = 2;
    while !matches!(jpeg[at + 1], 0xc0..=0xc2) {
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    let number = |at: usize| u64::from(u16::from_be_bytes([jpeg[at], jpeg[at + 1]]));
    [number(at + 7), number(at + 5)]
}
