//! A service with everything that a contract can have, and its errors.

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use wslink::{Attachment, Client, Publisher, RpcError, Topic, Value, schemars::JsonSchema, service};

/// Pictures.
///
/// The service of the tests of manifests and generated clients.
pub(crate) struct Gallery {
    publisher: Publisher,
}

impl Gallery {
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { publisher }
    }
}

/// A picture with its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "wslink::schemars")]
pub(crate) struct Picture {
    /// What is under it.
    pub(crate) title: String,
    pub(crate) size: Size,
    pub(crate) pixels: Attachment,
}

/// Width and height.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "wslink::schemars")]
pub(crate) struct Size {
    pub(crate) width: u32,
    #[serde(default)]
    pub(crate) height: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "wslink::schemars")]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Png,
    Jpeg,
}

/// Why there is no picture.
#[derive(Debug, RpcError)]
pub(crate) enum GalleryError {
    /// There is no picture of that title.
    ///
    /// Nor was there ever.
    #[rpc_error(code = 404, message = "no picture is called {title}")]
    NotFound { title: String },
    /// The picture is too large.
    #[rpc_error(code = 413)]
    TooLarge { size: Size },
    #[rpc_error(internal)]
    Io(#[from] std::io::Error),
}

#[service(client, schema)]
impl Gallery {
    /// A picture was hung.
    #[topic("gallery.hung", delivery = latest)]
    pub(crate) const HUNG: Topic<Picture>;

    /// Who came.
    #[topic("gallery.visited", delivery = drop_oldest(16))]
    pub(crate) const VISITED: Topic<Vec<Option<String>>>;

    /// Hangs a picture.
    ///
    /// Those who subscribe to `gallery.hung` see it.
    #[rpc("gallery.hang")]
    async fn hang(
        &self,
        client: Client,
        picture: Picture,
        #[arg(default = 90)] quality: u8,
        #[arg(default)] format: Format,
    ) -> Size {
        let _ = (client.id(), quality, format);
        self.publisher.publish(Self::HUNG, &picture);
        tokio::task::yield_now().await;
        picture.size
    }

    /// Finds a picture.
    #[rpc("gallery.find")]
    fn find(
        &self,
        title: String,
        within: Option<Size>,
        #[arg(default = Size { width: 1, height: None })] at_least: Size,
    ) -> Result<Picture, GalleryError> {
        match title.as_str() {
            "mona lisa" => Ok(Picture { title, size: within.unwrap_or(at_least), pixels: vec![1, 2, 3].into() }),
            "guernica" => Err(GalleryError::TooLarge { size: at_least }),
            "the scream" => Err(std::io::Error::other("stolen"))?,
            _ => Err(GalleryError::NotFound { title }),
        }
    }

    /// The numbers up to `last`.
    #[topic("gallery.numbers", require = "curator")]
    fn numbers(&self, last: u32, #[arg(default = 1)] step: u32) -> impl Stream<Item = u32> + Send + 'static {
        futures_util::stream::iter((0..=last).step_by(step.max(1) as usize))
    }

    #[deprecated = "call gallery.find"]
    #[rpc("gallery.any", blocking, require = "curator", timeout_ms = 5000)]
    fn any(&self, args: wslink::Args) -> Vec<Value> {
        args.positional
    }
}
