//! The methods, as clients of the original example call them.

use serde::Serialize;
#[cfg(feature = "manifest")]
use wslink::schemars::JsonSchema;
use wslink::{Args, Attachment, CallError, Publisher, Value, service};

use crate::{arithmetic, stream::Stream};

const PLAIN: Attachment = Attachment::from_static(include_bytes!("../assets/plain.png"));
const ALTERNATIVE: Attachment = Attachment::from_static(include_bytes!("../assets/alternative.png"));

/// The service.
pub(crate) struct MyProtocol {
    stream: Stream,
}

/// A picture with a name around it.
#[derive(Serialize)]
#[cfg_attr(feature = "manifest", derive(JsonSchema), schemars(crate = "wslink::schemars"))]
pub(crate) struct Picture {
    blob: Attachment,
}

/// Pictures and bytes at several depths.
#[derive(Serialize)]
#[cfg_attr(feature = "manifest", derive(JsonSchema), schemars(crate = "wslink::schemars"))]
pub(crate) struct Nested {
    image: Picture,
    #[serde(rename = "bytesList")]
    bytes_list: [Attachment; 2],
}

impl MyProtocol {
    /// The service of the server that `publisher` belongs to.
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { stream: Stream::new(publisher) }
    }
}

#[service]
impl MyProtocol {
    /// The sum of the numbers; 0 when they are no list.
    #[rpc("myprotocol.add")]
    fn add(&self, numbers: Value) -> Result<Value, CallError> {
        arithmetic::sum(&numbers)
    }

    /// The product of the numbers; 0 when they are no list.
    #[rpc("myprotocol.mult")]
    fn multiply(&self, numbers: Value) -> Result<Value, CallError> {
        arithmetic::product(&numbers)
    }

    /// A picture, or another one, inside an object.
    #[rpc("myprotocol.image")]
    fn image(&self, #[arg(default = false)] alt: bool) -> Picture {
        picture(alt)
    }

    /// The picture itself.
    #[rpc("myprotocol.unwrapped.image")]
    fn unwrapped_image(&self, #[arg(default = false)] alt: bool) -> Attachment {
        picture(alt).blob
    }

    /// Binary data at several depths of one result.
    #[rpc("myprotocol.nested.image")]
    fn nested_image(&self) -> Nested {
        let bytes_list = [Attachment::from_static(&[1, 2, 3, 4]), Attachment::from_static(&[5, 6, 7, 8, 9, 10])];
        Nested { image: picture(false), bytes_list }
    }

    /// Tells how much was uploaded.
    #[rpc("myprotocol.postbinary")]
    fn post_binary(&self, data: Attachment) -> String {
        format!("received binary data of length {}", data.len())
    }

    /// Numbers that JSON does not have.
    #[rpc("myprotocol.special")]
    fn special(&self, _anything: Args) -> [f64; 3] {
        [f64::INFINITY, f64::NAN, f64::NEG_INFINITY]
    }

    /// Starts publishing pictures on `topic`, or joins those who watch.
    #[rpc("myprotocol.stream")]
    fn stream(&self, topic: String) -> Value {
        self.stream.join(&topic);
        Value::map([("subscribed", topic)])
    }

    /// Leaves the stream; the last one to leave ends it.
    #[rpc("myprotocol.stop")]
    fn stop(&self, topic: String) -> Value {
        if self.stream.leave(&topic) { Value::map([("unsubscribed", topic)]) } else { Value::from(0) }
    }
}

/// One of the two pictures.
pub(crate) fn picture(alternative: bool) -> Picture {
    Picture { blob: if alternative { ALTERNATIVE } else { PLAIN } }
}
