//! `#[service(client)]`: a typed client, of everything that a service can have.
#![deny(warnings, missing_docs)]

use serde::{Deserialize, Serialize};
use wslink::{Args, Attachment, CallError, Client, Internal, Publisher, Topic, Value, client, rpc, service, topic};

/// Draws.
pub struct Render;

/// A size.
#[derive(Serialize, Deserialize)]
pub struct Size {
    width: u32,
}

#[derive(Serialize, Deserialize)]
struct Private;

struct Caller;

impl wslink::rpc::Parameter for Caller {
    const KIND: wslink::rpc::ParameterKind = wslink::rpc::ParameterKind::Context;

    fn take(_: &mut wslink::rpc::Call<'_>, _: usize) -> Result<Self, wslink::rpc::ArgumentError> {
        Ok(Self)
    }
}

#[service(client)]
impl Render {
    /// It was drawn.
    #[topic("render.changed", delivery = latest)]
    pub const CHANGED: Topic<Size>;

    #[topic("render.type")]
    const TYPE: wslink::Topic<u8>;

    /// Those inside a region.
    #[topic("render.tiles", delivery = latest)]
    fn tiles(&self, client: Client, region: u8, #[arg(default)] depth: u8) -> impl futures_util::Stream<Item = Size> + Send + 'static {
        let _ = (client, region, depth);
        futures_util::stream::empty()
    }

    /// Draws one.
    #[rpc("render.image")]
    async fn image(&self, client: Client, size: Size, #[arg(default = 90)] quality: u8) -> Result<Attachment, Internal> {
        let _ = (client, size, quality);
        Ok(Attachment::default())
    }

    #[rpc("render.resize")]
    fn resize(&self, _publisher: Publisher, width: u32, r#type: Option<u8>) -> Result<Size, Internal> {
        let _ = r#type;
        Ok(Size { width })
    }

    #[rpc("render.any")]
    fn any(&self, args: Args) -> Vec<Value> {
        args.positional
    }

    #[deprecated]
    #[rpc("render.old")]
    fn old(&self, #[arg(context)] caller: Caller, #[arg(rename = "x")] _: u8) -> Result<(), CallError> {
        let _ = caller;
        Ok(())
    }

    #[rpc("render.private")]
    fn private(&self) -> Private {
        Private
    }

    #[cfg(any())]
    #[rpc("render.absent")]
    fn absent(&self, missing: Missing) {}

    #[rpc("render.many")]
    fn many(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8) -> u8 {
        a + b + c + d + e + f + g + h + i + j + k + l + m
    }

    /// Names that generated code has too.
    #[rpc("render.session")]
    fn session(&self, session: u8, uri: String) -> String {
        uri + &session.to_string()
    }
}

/// The types of the client's methods are those of the service's.
async fn uses(render: RenderClient) -> Result<(), client::Error> {
    let image: Attachment = render.image(Size { width: 1 }, 75).await?;
    let _: Attachment = render.image(Size { width: 1 }, None).timeout(std::time::Duration::from_secs(1)).await?;
    let size: Size = render.resize(640, Some(1)).await?;
    let any: Vec<Value> = render.any(Args { positional: vec![1.into()], named: Vec::new() }).await?;
    #[allow(deprecated)]
    let () = render.old(1).await?;
    let _: u8 = render.many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13).await?;
    let _: String = render.session(1, "x".into()).await?;
    let _: Private = render.private().await?;
    let mut changed: client::Subscription<Size> = render.changed().await?;
    if let Some(size) = changed.next().await {
        let _: Size = size?;
    }
    let _: client::Subscription<Size> = render.tiles(1, None).await?;
    let _: client::Subscription<u8> = render.r#type().await?;
    let _ = (image, size, any);
    Ok(())
}

fn main() {
    let _ = uses;
    let _: fn(client::Session) -> RenderClient = From::from;
}
