//! Context parameters, `Option`, `Result` and `Topic` are recognised by what they are, not by their names.

use wslink::{
    Client,
    rpc::{ArgumentError, Call, Parameter, ParameterKind},
    service,
};

type Caller = Client;
type Maybe = Option<u32>;
type Outcome = Result<u32, wslink::Internal>;
type Frames = wslink::Topic<Vec<u8>>;

struct Locale(&'static str);

impl Parameter for Locale {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(_: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(Self("en"))
    }
}

struct Render;

#[service]
impl Render {
    #[topic("render.frames")]
    const FRAMES: Frames;

    #[rpc("render.image")]
    async fn image(&self, caller: Caller, locale: Locale, w: Maybe) -> Outcome {
        let _ = (caller.id(), locale.0);
        Ok(w.unwrap_or(1))
    }

    #[rpc("render.unit")]
    fn unit(&self) -> Result<(), wslink::CallError> {
        Ok(())
    }

    #[rpc("render.borrowed")]
    fn borrowed(&self, _unused: Caller) -> &str {
        "a result may borrow from the service"
    }

    #[rpc("render.opaque")]
    async fn opaque(&self) -> impl serde::Serialize + use<> {
        [1, 2]
    }
}

fn main() {
    let _ = Render::FRAMES;
}
