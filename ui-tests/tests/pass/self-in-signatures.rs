//! `Self` in a signature means the service's type, also in the generated client.
#![deny(warnings)]

use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use wslink::{CallError, Topic, client, rpc, service, topic};

#[derive(Clone, Serialize, Deserialize)]
pub struct Size<T> {
    width: T,
}

#[service(client)]
impl Size<u32> {
    const SIDES: usize = 2;

    #[topic("size.changed")]
    pub const CHANGED: Topic<Self>;

    #[topic("size.all")]
    fn all(&self, of: Option<Self>) -> impl Stream<Item = Self> + Send + use<> {
        stream::iter(of)
    }

    #[rpc("size.larger")]
    fn larger(&self, other: Self, sides: [u8; Self::SIDES], #[arg(default = Self { width: 2 })] least: Self) -> Vec<Self> {
        let _ = sides;
        vec![other, least]
    }

    #[rpc("size.maybe")]
    async fn maybe(&self, other: Option<Self>) -> Result<Self, CallError> {
        Ok(other.unwrap_or_else(|| self.clone()))
    }
}

async fn uses(sizes: SizeClient) -> Result<(), client::Error> {
    let _: Vec<Size<u32>> = sizes.larger(Size { width: 1 }, [1, 2], None).await?;
    let _: Size<u32> = sizes.maybe(None).await?;
    let _: client::Subscription<Size<u32>> = sizes.changed().await?;
    let _: client::Subscription<Size<u32>> = sizes.all(None).await?;
    Ok(())
}

fn main() {
    let _ = uses;
}
