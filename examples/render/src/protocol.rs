//! The methods, as vtk.js's `RemoteView`, `ViewStream` and `ImageStream` call them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use wslink::{CallError, Client, ClientId, Publisher, Topic, service};

use crate::{
    events::{CameraParameters, Frame, MouseEvent, Observed, Outcome, Push, VIEW, ViewId, WheelEvent},
    view::View,
};

/// The service.
pub(crate) struct Render {
    publisher: Publisher,
    /// Everybody has the same view.
    shared: bool,
    /// The view of each client, or the one of nobody in particular that is shared.
    views: Mutex<HashMap<Option<ClientId>, Arc<View>>>,
}

impl Render {
    /// The service of the server that `publisher` belongs to.
    pub(crate) fn new(publisher: Publisher, shared: bool) -> Self {
        Self { publisher, shared, views: Mutex::default() }
    }

    /// The view that `client` means by `id`.
    fn view(&self, client: &Client, id: ViewId) -> Result<Arc<View>, CallError> {
        id.check()?;
        Ok(self.view_of(client))
    }

    fn view_of(&self, client: &Client) -> Arc<View> {
        let owner = (!self.shared).then(|| client.id().clone());
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = views.get(&owner) {
            return Arc::clone(view);
        }
        // Those whose client is gone are dropped when another comes, so there are never more than clients.
        views.retain(|owner, _| owner.as_ref().is_none_or(|id| self.publisher.to(id).clients() > 0));
        let view = Arc::new(View::new(self.publisher.group(Self::group(owner.as_ref()))));
        views.insert(owner, Arc::clone(&view));
        view
    }

    /// The group of those who observe a view; a client leaves it when it disconnects.
    fn group(owner: Option<&ClientId>) -> String {
        owner.map_or_else(|| "the shared view".to_owned(), |id| format!("the view of {id}"))
    }

    fn group_of(&self, client: &Client) -> String {
        Self::group((!self.shared).then(|| client.id()))
    }
}

#[service(schema)]
impl Render {
    /// A picture of the view.
    #[topic("viewport.image.push.subscription", delivery = latest(key = id))]
    pub(crate) const IMAGE: Topic<Frame>;

    /// Sends the caller pictures of the view from now on, and one now.
    #[rpc("viewport.image.push.observer.add")]
    fn observe(&self, client: Client, view: ViewId) -> Result<Observed, CallError> {
        let view = self.view(&client, view)?;
        self.publisher.enter(client.id(), &self.group_of(&client));
        view.request();
        Ok(Observed { success: true, view: VIEW })
    }

    /// Sends the caller no pictures any more.
    #[rpc("viewport.image.push.observer.remove")]
    fn leave(&self, client: Client, view: ViewId) -> Result<Outcome, CallError> {
        view.check()?;
        self.publisher.exit(client.id(), &self.group_of(&client));
        Ok(Outcome::DONE)
    }

    /// Tells how large the page shows the view; no picture is sent for it.
    #[rpc("viewport.image.push.original.size")]
    fn resize(&self, client: Client, view: ViewId, width: f32, height: f32) -> Result<Outcome, CallError> {
        self.observed(&client, view, |view| view.resize(width, height))
    }

    /// Sets the quality of pictures, from 1 to 100, and their pixels for one of the page.
    #[rpc("viewport.image.push.quality")]
    fn quality(
        &self,
        client: Client,
        view: ViewId,
        quality: f32,
        #[arg(default = 1.0)] ratio: f32,
    ) -> Result<Outcome, CallError> {
        self.observed(&client, view, |view| view.set_quality(quality, ratio))
    }

    /// Whether pictures are sent.
    #[rpc("viewport.image.push.enabled")]
    fn enable(&self, client: Client, view: ViewId, enabled: bool) -> Result<Outcome, CallError> {
        self.observed(&client, view, |view| view.enable(enabled))
    }

    /// Sends a picture, whether or not anything changed.
    #[rpc("viewport.image.push.invalidate.cache")]
    fn invalidate(&self, client: Client, view: ViewId) -> Result<Outcome, CallError> {
        self.view(&client, view)?.request();
        Ok(Outcome::DONE)
    }

    /// Sends a picture.
    #[rpc("viewport.image.push")]
    fn push(&self, client: Client, options: Push) -> Result<(), CallError> {
        self.view(&client, options.view)?.request();
        Ok(())
    }

    /// Sets how many pictures an animation has each second.
    #[rpc("viewport.image.animation.fps.max")]
    fn set_frames_per_second(&self, client: Client, #[arg(default = 30.0)] fps: f32) {
        self.view_of(&client).set_frames_per_second(fps);
    }

    /// How many pictures an animation has each second.
    #[rpc("viewport.image.animation.fps.get")]
    fn frames_per_second(&self, client: Client) -> f32 {
        self.view_of(&client).frames_per_second()
    }

    /// Turns the molecule and sends pictures of it until that is stopped.
    #[rpc("viewport.image.animation.start")]
    fn start_animation(&self, client: Client, view: ViewId) -> Result<(), CallError> {
        self.view(&client, view)?.animate(true);
        Ok(())
    }

    /// Ends what was started.
    #[rpc("viewport.image.animation.stop")]
    fn stop_animation(&self, client: Client, view: ViewId) -> Result<(), CallError> {
        let view = self.view(&client, view)?;
        view.animate(false);
        view.request();
        Ok(())
    }

    /// Puts the camera where it was at first.
    #[rpc("viewport.camera.reset")]
    fn reset_camera(&self, client: Client, view: ViewId) -> Result<&'static str, CallError> {
        self.view(&client, view)?.reset_camera();
        Ok(VIEW)
    }

    /// Places the camera; sends a picture only if that is forced.
    #[rpc("viewport.camera.update")]
    fn update_camera(
        &self,
        client: Client,
        view: ViewId,
        focal_point: [f32; 3],
        view_up: [f32; 3],
        position: [f32; 3],
        #[arg(default = true)] force_update: bool,
    ) -> Result<(), CallError> {
        let parameters = CameraParameters { focal_point, view_up, position, view_angle: None };
        self.view(&client, view)?.place_camera(&parameters, force_update)
    }

    /// The same with all that vtk.js knows of a camera.
    #[rpc("viewport.camera.update.params")]
    fn update_camera_parameters(
        &self,
        client: Client,
        view: ViewId,
        parameters: CameraParameters,
        #[arg(default = true)] force_update: bool,
    ) -> Result<(), CallError> {
        self.view(&client, view)?.place_camera(&parameters, force_update)
    }

    /// Moves the camera with the mouse, and sends a picture of each change while a button is held.
    #[rpc("viewport.mouse.interaction")]
    fn mouse(&self, client: Client, event: MouseEvent) -> Result<(), CallError> {
        self.view(&client, event.view.clone())?.mouse(&event);
        Ok(())
    }

    /// Comes nearer or goes farther away.
    #[rpc("viewport.mouse.zoom.wheel")]
    fn wheel(&self, client: Client, event: WheelEvent) -> Result<(), CallError> {
        self.view(&client, event.view.clone())?.wheel(&event);
        Ok(())
    }
}

impl Render {
    /// Changes a view that somebody observes; else says that nobody does.
    fn observed(&self, client: &Client, id: ViewId, change: impl FnOnce(&View)) -> Result<Outcome, CallError> {
        let view = self.view(client, id)?;
        if !view.is_observed() {
            return Ok(Outcome::unobserved());
        }
        change(&view);
        Ok(Outcome::DONE)
    }
}
