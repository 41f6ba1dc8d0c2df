//! The only thing in its module.

use wslink::{rpc, service};

pub struct Camera;

#[service]
impl Camera {
    #[rpc("camera.move")]
    fn move_to(&self, x: f64, y: f64) -> f64 {
        x + y
    }
}
