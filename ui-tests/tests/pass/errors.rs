//! `#[derive(RpcError)]` on every kind of type, and what clients are told of each.
#![deny(warnings, missing_docs)]

use wslink::{ErrorCode, Internal, RpcError, Value, rpc, service};

/// Why there is no image.
#[derive(Debug, RpcError)]
pub enum RenderError {
    /// The view has no camera.
    ///
    /// Add one.
    #[rpc_error(code = 404)]
    NoCamera {
        /// The view.
        view: String,
    },
    /// Busy.
    #[rpc_error(code = 503, name = "occupied", message = "{{busy}} for {0:.1} s, {0} exactly")]
    Busy(#[rpc_error(rename = "seconds")] f32, #[rpc_error(skip)] Secret),
    /// Raw.
    #[rpc_error(message = "type {type:?}")]
    Raw {
        /// A kind.
        r#type: Option<u8>,
        /// Why.
        source: std::fmt::Error,
    },
    /// Nothing.
    Unit,
    /// For the log.
    #[rpc_error(internal)]
    Io(#[from] std::io::Error),
    /// For the log too.
    #[rpc_error(internal, message = "cannot parse {text}")]
    Parse {
        /// What.
        text: String,
        /// Why.
        source: std::num::ParseIntError,
    },
}

/// Not for clients.
#[derive(Debug)]
pub struct Secret;

/// One error.
#[derive(Debug, RpcError)]
#[rpc_error(code = 410, message = "{id} is gone")]
pub struct Gone {
    id: u32,
}

/// Never.
#[derive(Debug, RpcError)]
pub enum Never {}

/// With a text of its own.
#[derive(Debug, RpcError)]
#[rpc_error(display)]
pub enum Own {
    /// A.
    #[rpc_error(code = -7)]
    A,
    /// B.
    #[rpc_error(internal)]
    B,
}

impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("own")
    }
}

impl std::error::Error for Own {}

/// A service.
pub struct Render;

#[service]
impl Render {
    /// `?` makes the error of its cause.
    #[rpc("render.load")]
    fn load(&self, path: String) -> Result<String, RenderError> {
        Ok(std::fs::read_to_string(path)?)
    }

    /// And any error is an `Internal`.
    #[rpc("render.find")]
    fn find(&self) -> Result<(), Internal> {
        Err(Gone { id: 1 })?
    }

    /// Never fails.
    #[rpc("render.never")]
    fn never(&self) -> Result<(), Never> {
        Ok(())
    }
}

fn data(members: &[(&str, Value)]) -> Option<Value> {
    Some(Value::map(members.iter().cloned()))
}

fn main() {
    let told = RenderError::NoCamera { view: "left".into() }.into_call_error();
    assert_eq!((told.code(), told.message()), (ErrorCode::Application(404), "The view has no camera"));
    assert_eq!(told.data().cloned(), data(&[("name", "no_camera".into()), ("view", "left".into())]));

    let told = RenderError::Busy(0.5, Secret).into_call_error();
    assert_eq!(told.message(), "{busy} for 0.5 s, 0.5 exactly");
    assert_eq!(told.data().cloned(), data(&[("name", "occupied".into()), ("seconds", 0.5.into())]));

    let raw = RenderError::Raw { r#type: None, source: std::fmt::Error };
    assert!(std::error::Error::source(&raw).is_some());
    assert_eq!(RenderError::VARIANTS[2].message, "type {type}");

    let told = RenderError::Unit.into_call_error();
    assert_eq!((told.code(), told.message()), (ErrorCode::Exception, "Nothing"));
    assert_eq!(told.data().cloned(), data(&[("name", "unit".into())]));

    let io = RenderError::from(std::io::Error::other("disk"));
    assert_eq!(io.to_string(), "disk");
    let hidden = io.into_call_error();
    assert_eq!((hidden.message(), hidden.data()), ("Exception raised", None));

    let source = "x".parse::<u8>().unwrap_err();
    let parse = RenderError::Parse { text: "x".into(), source };
    assert_eq!(parse.into_call_error().to_string(), "Exception raised (-32001): cannot parse x: invalid digit found in string");

    let gone = Gone { id: 7 }.into_call_error();
    assert_eq!((gone.message(), gone.data().cloned()), ("7 is gone", data(&[("name", "gone".into()), ("id", 7.into())])));
    assert_eq!(Own::A.into_call_error().message(), "own");
    assert_eq!(Own::A.into_call_error().code().number(), -7);
    assert_eq!(Own::VARIANTS.len(), 1);
    assert_eq!(Never::VARIANTS.len(), 0);
    let _ = (Render.load(String::new()).is_err(), Render.find().is_err(), Render.never().is_err(), Own::B);
}
