//! What goes over the wire: what vtk.js says of the mouse, and what it is answered and sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wslink::{Attachment, CallError};

/// The only view there is.
pub(crate) const VIEW: &str = "1";

/// Which view a client means; there is one, `"1"`, which is always the active one, `-1`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ViewId {
    Number(f64),
    Text(String),
}

impl ViewId {
    pub(crate) fn active() -> Self {
        Self::Text("-1".into())
    }

    /// Fails for any other view than the one there is, with the original's code.
    pub(crate) fn check(self) -> Result<(), CallError> {
        let unknown = match self {
            Self::Number(-1.0 | 1.0) => return Ok(()),
            Self::Text(text) if text == "-1" || text == VIEW => return Ok(()),
            Self::Number(view) => view.to_string(),
            Self::Text(view) => view,
        };
        Err(CallError::exception(format!("there is no view {unknown}; the only one is {VIEW}")))
    }
}

/// Answers of methods that return nothing else.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Outcome {
    Done {
        result: &'static str,
    },
    /// As the original says it, in a result.
    Failed {
        error: String,
    },
}

impl Outcome {
    pub(crate) const DONE: Self = Self::Done { result: "success" };

    pub(crate) fn unobserved() -> Self {
        Self::Failed { error: format!("Unable to find subscription for view {VIEW}") }
    }
}

/// The answer to whoever begins to observe.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Observed {
    pub(crate) success: bool,
    /// The id under which images come.
    #[serde(rename = "viewId")]
    pub(crate) view: &'static str,
}

/// What a client asks for with a push.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Push {
    #[serde(default = "ViewId::active")]
    pub(crate) view: ViewId,
}

/// A key or button: 0 or 1, or a truth value.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Flag {
    Truth(bool),
    Number(f64),
}

impl Default for Flag {
    fn default() -> Self {
        Self::Truth(false)
    }
}

impl Flag {
    pub(crate) fn is_set(self) -> bool {
        match self {
            Self::Truth(truth) => truth,
            Self::Number(number) => number != 0.0,
        }
    }
}

/// Whether a button is held.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Also with each move until it is let go.
    Down,
    Up,
}

/// The mouse: `x` and `y` from 0 to 1, from the lower left.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MouseEvent {
    #[serde(default = "ViewId::active")]
    pub(crate) view: ViewId,
    pub(crate) action: Action,
    pub(crate) x: f32,
    pub(crate) y: f32,
    #[serde(default)]
    pub(crate) button_left: Flag,
    #[serde(default)]
    pub(crate) button_middle: Flag,
    #[serde(default)]
    pub(crate) button_right: Flag,
    #[serde(default)]
    pub(crate) shift_key: Flag,
    #[serde(default)]
    pub(crate) ctrl_key: Flag,
}

/// A part of one use of the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) enum WheelStage {
    #[serde(rename = "StartMouseWheel")]
    Start,
    #[serde(rename = "MouseWheel")]
    Turn,
    #[serde(rename = "EndMouseWheel")]
    End,
}

/// The wheel: `spinY` is below 0 where things come nearer.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct WheelEvent {
    #[serde(default = "ViewId::active")]
    pub(crate) view: ViewId,
    #[serde(rename = "type")]
    pub(crate) stage: WheelStage,
    #[serde(rename = "spinY", default)]
    pub(crate) spin: f32,
}

/// A camera as vtk.js describes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CameraParameters {
    pub(crate) focal_point: [f32; 3],
    pub(crate) view_up: [f32; 3],
    pub(crate) position: [f32; 3],
    /// In degrees.
    pub(crate) view_angle: Option<f32>,
}

/// A picture of the view.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Frame {
    /// A JPEG.
    pub(crate) image: Attachment,
    pub(crate) id: &'static str,
    /// Width and height in pixels.
    pub(crate) size: [u16; 2],
    /// Bytes of the JPEG.
    pub(crate) memsize: usize,
    pub(crate) format: &'static str,
    /// The number of the picture.
    pub(crate) mtime: u64,
    /// Whether a better one follows.
    pub(crate) stale: bool,
    pub(crate) global_id: &'static str,
    #[serde(rename = "localTime")]
    pub(crate) local_time: u64,
    /// What it took to draw and compress, in milliseconds.
    #[serde(rename = "workTime")]
    pub(crate) work_time: u64,
    /// How many moves of mouse and wheel the picture shows, so that a page can tell how long they take. Not in the
    /// original.
    pub(crate) events: u64,
}
