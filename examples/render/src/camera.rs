//! The camera: where it looks from, and how the mouse moves it.

use glam::Vec3;

/// A camera with perspective; lengths are those of the scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Camera {
    pub(crate) focal_point: Vec3,
    pub(crate) position: Vec3,
    pub(crate) view_up: Vec3,
    /// How much it sees from top to bottom, in degrees.
    pub(crate) view_angle: f32,
}

/// The camera's own axes, each of length 1.
#[derive(Clone, Copy)]
pub(crate) struct Axes {
    pub(crate) right: Vec3,
    pub(crate) up: Vec3,
    pub(crate) forward: Vec3,
}

const NEAREST: f32 = 3.0;
const FARTHEST: f32 = 60.0;
/// How near the camera comes to looking along `view_up`, in radians.
const POLE: f32 = 0.05;

impl Default for Camera {
    fn default() -> Self {
        Self { focal_point: Vec3::new(0.0, -0.5, 0.0), position: Vec3::new(6.5, 3.6, 13.4), view_up: Vec3::Y, view_angle: 32.0 }
    }
}

impl Camera {
    /// The same camera with what clients chose, or nothing if it sees nothing from there.
    pub(crate) fn placed(self, focal_point: [f32; 3], view_up: [f32; 3], position: [f32; 3]) -> Option<Self> {
        let [focal_point, view_up, position] = [focal_point, view_up, position].map(Vec3::from);
        let camera = Self { focal_point, view_up, position, ..self };
        let forward = focal_point - position;
        let is_usable = [focal_point, view_up, position].iter().all(|vector| vector.is_finite() && vector.length() < 1e4)
            && forward.length() > 1e-3
            && forward.cross(view_up).length() > 1e-3 * forward.length() * view_up.length()
            && view_up.length() > 1e-3;
        is_usable.then_some(camera)
    }

    pub(crate) fn axes(&self) -> Axes {
        let forward = (self.focal_point - self.position).normalize_or(Vec3::NEG_Z);
        let right = forward.cross(self.view_up).normalize_or(Vec3::X);
        Axes { right, up: right.cross(forward), forward }
    }

    /// Half of what is seen from top to bottom at distance 1.
    pub(crate) fn half_height(&self) -> f32 {
        (self.view_angle.to_radians() * 0.5).tan()
    }

    /// Turns around the focal point; `x` and `y` are parts of the view's width and height.
    pub(crate) fn rotate(&mut self, x: f32, y: f32) {
        use std::f32::consts::PI;
        let up = self.view_up.normalize_or(Vec3::Y);
        let offset = self.position - self.focal_point;
        let polar = offset.angle_between(up);
        let tilt = (polar + y * PI).clamp(POLE, PI - POLE) - polar;
        let right = self.axes().right;
        let turned = glam::Quat::from_axis_angle(up, -x * 2.0 * PI) * glam::Quat::from_axis_angle(right, tilt) * offset;
        self.position = self.focal_point + turned;
    }

    /// Moves sideways, so that what is at the focal point follows the mouse in a view `aspect` times as wide as high.
    pub(crate) fn pan(&mut self, x: f32, y: f32, aspect: f32) {
        let Axes { right, up, .. } = self.axes();
        let height = 2.0 * self.half_height() * self.position.distance(self.focal_point);
        let moved = -(right * x * aspect + up * y) * height;
        self.position += moved;
        self.focal_point += moved;
    }

    /// Comes nearer by a factor above 1, or goes farther away.
    pub(crate) fn dolly(&mut self, factor: f32) {
        let offset = self.position - self.focal_point;
        let distance = (offset.length() / factor.max(0.05)).clamp(NEAREST, FARTHEST);
        self.position = self.focal_point + offset.normalize_or(Vec3::Z) * distance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_keeps_the_distance_and_stops_at_the_poles() {
        let mut camera = Camera::default();
        let distance = camera.position.distance(camera.focal_point);
        for _ in 0..20 {
            camera.rotate(0.1, -0.3);
        }
        assert!((camera.position.distance(camera.focal_point) - distance).abs() < 1e-3);
        assert!(camera.axes().up.is_finite() && camera.position.y > camera.focal_point.y);
    }

    #[test]
    fn zooming_has_its_limits_whatever_a_client_says() {
        let mut camera = Camera::default();
        for factor in [1e9, f32::INFINITY, -1.0, 0.0, f32::NAN] {
            camera.dolly(factor);
            let distance = camera.position.distance(camera.focal_point);
            assert!((NEAREST - 1e-3..=FARTHEST + 1e-3).contains(&distance), "{factor}: {distance}");
        }
    }

    #[test]
    fn a_camera_that_sees_nothing_is_refused() {
        let camera = Camera::default();
        assert!(camera.placed([0.0; 3], [0.0, 1.0, 0.0], [0.0, 0.0, 9.0]).is_some());
        assert!(camera.placed([0.0; 3], [0.0, 1.0, 0.0], [0.0, 9.0, 0.0]).is_none());
        assert!(camera.placed([0.0; 3], [0.0, 1.0, 0.0], [0.0; 3]).is_none());
        assert!(camera.placed([f32::NAN; 3], [0.0, 1.0, 0.0], [0.0, 0.0, 9.0]).is_none());
    }
}
