//! One view: what its clients set, and the task that draws it for them.
//!
//! There is at most one picture in the making. Requests that come meanwhile are one request, for what is set when
//! the next picture begins; so the newest always wins, and however fast clients ask, nothing piles up.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use wslink::{Attachment, CallError, Publisher};

use crate::{
    camera::Camera,
    events::{Action, CameraParameters, Frame, MouseEvent, VIEW, WheelEvent, WheelStage},
    image::Order,
    protocol::Render,
};

/// The most pixels of a picture each way.
const LONGEST: u16 = 2560;
/// How often an animation looks whether anybody watches again.
const UNWATCHED: Duration = Duration::from_secs(1);
/// How fast the molecule turns while it is animated, in radians each second.
const SPIN: f32 = 0.7;

/// A view of its own; drawing ends with it.
pub(crate) struct View {
    state: watch::Sender<State>,
    /// Those who observe it.
    pub(crate) audience: Publisher,
}

/// What clients set.
#[derive(Clone, Copy)]
struct State {
    camera: Camera,
    /// Of the page's element, in its pixels.
    size: [f32; 2],
    /// Pixels of a picture for one of the page.
    ratio: f32,
    quality: u8,
    enabled: bool,
    frames_per_second: f32,
    animated: bool,
    /// Where the mouse was last, while a button is held.
    drag: Option<[f32; 2]>,
    wheel: bool,
    /// Counts pictures that were asked for, and moves of mouse and wheel that ask for one.
    requested: u64,
    events: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            camera: Camera::default(),
            size: [400.0; 2],
            ratio: 1.0,
            quality: 90,
            enabled: true,
            frames_per_second: 30.0,
            animated: false,
            drag: None,
            wheel: false,
            requested: 0,
            events: 0,
        }
    }
}

impl View {
    /// A view that `audience` sees.
    pub(crate) fn new(audience: Publisher) -> Self {
        let (state, states) = watch::channel(State::default());
        tokio::spawn(draw_for(states, audience.clone()));
        Self { state, audience }
    }

    pub(crate) fn is_observed(&self) -> bool {
        self.audience.clients() > 0
    }

    /// Has a picture drawn.
    pub(crate) fn request(&self) {
        self.change(|state| state.requested += 1);
    }

    pub(crate) fn resize(&self, width: f32, height: f32) {
        self.change(|state| state.size = [width, height]);
    }

    pub(crate) fn set_quality(&self, quality: f32, ratio: f32) {
        self.change(|state| {
            state.quality = percent(quality);
            state.ratio = if ratio.is_finite() { ratio.clamp(0.05, 4.0) } else { 1.0 };
        });
    }

    pub(crate) fn enable(&self, enabled: bool) {
        self.change(|state| state.enabled = enabled);
    }

    pub(crate) fn animate(&self, animated: bool) {
        self.change(|state| state.animated = animated);
    }

    pub(crate) fn frames_per_second(&self) -> f32 {
        self.state.borrow().frames_per_second
    }

    pub(crate) fn set_frames_per_second(&self, frames: f32) {
        self.change(|state| state.frames_per_second = if frames.is_finite() { frames.clamp(0.1, 120.0) } else { 30.0 });
    }

    pub(crate) fn reset_camera(&self) {
        self.change(|state| {
            state.camera = Camera::default();
            state.requested += 1;
        });
    }

    /// Puts the camera where a client has it, and draws if that is wanted at once.
    pub(crate) fn place_camera(&self, to: &CameraParameters, draw: bool) -> Result<(), CallError> {
        let mut camera = self.state.borrow().camera;
        if let Some(angle) = to.view_angle.filter(|angle| angle.is_finite()) {
            camera.view_angle = angle.clamp(1.0, 120.0);
        }
        let camera = camera
            .placed(to.focal_point, to.view_up, to.position)
            .ok_or_else(|| CallError::exception("a camera there sees nothing; move it away from the focal point"))?;
        self.change(|state| {
            state.camera = camera;
            state.requested += u64::from(draw);
        });
        Ok(())
    }

    /// The left button rotates; with shift, or in the middle, it moves; the right one, or with control, comes nearer.
    pub(crate) fn mouse(&self, event: &MouseEvent) {
        if !(event.x.is_finite() && event.y.is_finite()) {
            return;
        }
        self.change(|state| {
            let now = [event.x, event.y];
            let last = std::mem::replace(&mut state.drag, (event.action == Action::Down).then_some(now));
            if event.action == Action::Up {
                return;
            }
            let [x, y] = last.map_or([0.0; 2], |last| [now[0] - last[0], now[1] - last[1]].map(|part| part.clamp(-1.0, 1.0)));
            if event.button_middle.is_set() || event.shift_key.is_set() {
                state.camera.pan(x, y, state.size[0] / state.size[1].max(1.0));
            } else if event.button_right.is_set() || event.ctrl_key.is_set() {
                state.camera.dolly((y * 3.0).exp());
            } else if event.button_left.is_set() {
                state.camera.rotate(x, y);
            }
            state.moved();
        });
    }

    pub(crate) fn wheel(&self, event: &WheelEvent) {
        self.change(|state| {
            state.wheel = event.stage != WheelStage::End;
            if event.spin.is_finite() && event.spin != 0.0 {
                state.camera.dolly((-event.spin.clamp(-10.0, 10.0) / 10.0).exp());
                state.moved();
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }
}

impl State {
    /// Mouse or wheel moved the camera.
    const fn moved(&mut self) {
        self.events += 1;
        self.requested += 1;
    }

    /// Somebody moves the camera: what counts is how soon a picture comes.
    const fn is_moved(&self) -> bool {
        self.drag.is_some() || self.wheel
    }

    fn order(&self, angle: f32) -> Order {
        let size = self.size.map(|length| pixels(length * self.ratio));
        Order { size, camera: self.camera, angle, smooth: !self.is_moved() && !self.animated }
    }
}

/// Draws and publishes until the view is dropped; draws nothing while nobody watches.
async fn draw_for(mut states: watch::Receiver<State>, audience: Publisher) {
    let (mut served, mut number, mut angle) = (0, 0, 0.0);
    let mut last = Instant::now();
    while let Some(state) = next(&mut states, served, last, || is_watched(&audience)).await {
        let now = Instant::now();
        if state.animated {
            let elapsed = (now - last).min(UNWATCHED).as_secs_f32();
            angle = (angle + SPIN * elapsed) % std::f32::consts::TAU;
        }
        last = now;
        served = state.requested;
        if !state.enabled || !is_watched(&audience) {
            continue;
        }
        number += 1;
        let states = states.clone();
        match tokio::task::spawn_blocking(move || picture(&state, angle, number, &states)).await {
            Ok(Some(frame)) => audience.publish(Render::IMAGE, &frame),
            // Abandoned, because the mouse moved on: there is another request.
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a picture was not drawn"),
        }
    }
}

/// What to draw next, as soon as there is something to draw; nothing once the view is gone.
async fn next(states: &mut watch::Receiver<State>, served: u64, last: Instant, is_watched: impl Fn() -> bool) -> Option<State> {
    loop {
        let state = *states.borrow_and_update();
        if state.requested != served {
            return Some(state);
        }
        if !state.animated {
            states.changed().await.ok()?;
            continue;
        }
        let period = if is_watched() { Duration::from_secs_f32(1.0 / state.frames_per_second) } else { UNWATCHED };
        tokio::select! {
            changed = states.changed() => changed.ok()?,
            () = tokio::time::sleep_until((last + period).into()) => return Some(state),
        }
    }
}

fn is_watched(audience: &Publisher) -> bool {
    audience.subscribers(Render::IMAGE) > 0
}

/// Draws and compresses; nothing if that is not wanted any more. A picture that is drawn with care is not worth
/// waiting for once somebody moves the camera; one that was drawn for that is always shown, or fast moves would
/// show none.
fn picture(state: &State, angle: f32, number: u64, states: &watch::Receiver<State>) -> Option<Frame> {
    let begin = Instant::now();
    let order = state.order(angle);
    let is_wanted = || {
        let newest = states.borrow();
        !(order.smooth && newest.requested != state.requested && newest.is_moved())
    };
    let picture = order.draw(&is_wanted)?;
    let jpeg = match picture.jpeg(state.quality) {
        Ok(jpeg) => jpeg,
        Err(error) => {
            tracing::error!(%error, "a picture cannot be compressed");
            return None;
        }
    };
    Some(Frame {
        id: VIEW,
        size: order.size,
        memsize: jpeg.len(),
        image: Attachment::new(jpeg),
        format: "jpeg",
        mtime: number,
        stale: !order.smooth,
        global_id: VIEW,
        local_time: 0,
        work_time: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
        events: state.events,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is clamped, and casts saturate")]
fn pixels(length: f32) -> u16 {
    length.clamp(1.0, LONGEST.into()) as u16
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is clamped, and casts saturate")]
fn percent(quality: f32) -> u8 {
    quality.clamp(1.0, 100.0) as u8
}
