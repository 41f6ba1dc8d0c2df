//! A picture of the scene: its pixels, computed by all processors, and its JPEG.

use glam::Vec3;
use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};
use rayon::prelude::*;

use crate::{
    camera::{Axes, Camera},
    scene::Scene,
    shade,
    trace::{Candidates, Ray},
};

/// Red, green and blue bytes, row by row from the top.
pub(crate) struct Picture {
    size: [u16; 2],
    pixels: Vec<u8>,
}

/// What a picture is to be.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) size: [u16; 2],
    pub(crate) camera: Camera,
    /// The molecule's, in radians.
    pub(crate) angle: f32,
    /// Whether edges are drawn with several rays for each pixel.
    pub(crate) smooth: bool,
}

/// Rows and columns that share their candidates.
const TILE: usize = 16;
/// Where the rays of a pixel at an edge go beside the one through its middle.
const BESIDE: [(f32, f32); 4] = [(-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375)];

impl Order {
    /// Draws, as long as `is_wanted` says so each time it is asked.
    pub(crate) fn draw(&self, is_wanted: &(dyn Fn() -> bool + Sync)) -> Option<Picture> {
        let lens = Lens::new(self);
        let scene = Scene::new(self.angle);
        let all = Candidates::of(&scene, |_, _| true);
        let width = usize::from(self.size[0]);

        let mut samples = vec![(Vec3::ZERO, 0_u16); width * usize::from(self.size[1])];
        samples
            .par_chunks_mut(width * TILE)
            .enumerate()
            .try_for_each(|(band, samples)| is_wanted().then(|| draw_band(&lens, &scene, &all, band * TILE, samples)))?;

        let mut pixels = vec![0; samples.len() * 3];
        pixels.par_chunks_mut(width * 3).enumerate().try_for_each(|(row, pixels)| {
            if !is_wanted() {
                return None;
            }
            for (column, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                let mut color = samples[row * width + column].0;
                if self.smooth && is_edge(&samples, width, row, column) {
                    let rays = BESIDE.map(|(x, y)| lens.ray(column as f32 + x, row as f32 + y));
                    color =
                        rays.iter().map(|ray| shade::color(&scene, &all, &all, ray).0.min(Vec3::splat(2.0))).sum::<Vec3>() / 4.0;
                }
                pixel.copy_from_slice(&shade::displayed(color));
            }
            Some(())
        })?;
        Some(Picture { size: self.size, pixels })
    }
}

/// Some rows, tile by tile.
fn draw_band(lens: &Lens, scene: &Scene, all: &Candidates, top: usize, samples: &mut [(Vec3, u16)]) {
    let width = lens.width;
    let rows = samples.len() / width;
    for left in (0..width).step_by(TILE) {
        let right = (left + TILE).min(width);
        let candidates = Candidates::of(scene, |center, radius| lens.may_show(center, radius, [left, top, right, top + rows]));
        for row in 0..rows {
            for column in left..right {
                let ray = lens.ray(column as f32, (top + row) as f32);
                samples[row * width + column] = shade::color(scene, &candidates, all, &ray);
            }
        }
    }
}

/// Whether a pixel's neighbours show another surface.
fn is_edge(samples: &[(Vec3, u16)], width: usize, row: usize, column: usize) -> bool {
    let at = row * width + column;
    let neighbours = [
        (column > 0).then(|| at - 1),
        (column + 1 < width).then_some(at + 1),
        at.checked_sub(width),
        (at + width < samples.len()).then_some(at + width),
    ];
    neighbours.into_iter().flatten().any(|other| samples[other].1 != samples[at].1)
}

/// From pixels to rays.
struct Lens {
    camera: Camera,
    axes: Axes,
    width: usize,
    /// The middle of the picture and what a pixel is at distance 1.
    middle: [f32; 2],
    pixel: f32,
}

impl Lens {
    fn new(order: &Order) -> Self {
        let [width, height] = order.size.map(f32::from);
        // What is seen from side to side in a view that is higher than wide is what else is seen from top to bottom.
        let pixel = 2.0 * order.camera.half_height() / height.min(width * 0.8);
        let middle = [(width - 1.0) / 2.0, (height - 1.0) / 2.0];
        Self { camera: order.camera, axes: order.camera.axes(), width: order.size[0].into(), middle, pixel }
    }

    fn ray(&self, column: f32, row: f32) -> Ray {
        let Axes { right, up, forward } = self.axes;
        let [x, y] = [(column - self.middle[0]) * self.pixel, (self.middle[1] - row) * self.pixel];
        Ray { from: self.camera.position, along: (forward + right * x + up * y).normalize() }
    }

    /// Whether a sphere may be seen between these columns and rows: left, top, right, bottom.
    fn may_show(&self, center: Vec3, radius: f32, [left, top, right, bottom]: [usize; 4]) -> bool {
        let offset = center - self.camera.position;
        let depth = offset.dot(self.axes.forward);
        if depth < 2.0 * radius {
            return depth > -radius;
        }
        let x = offset.dot(self.axes.right) / (depth * self.pixel) + self.middle[0];
        let y = self.middle[1] - offset.dot(self.axes.up) / (depth * self.pixel);
        // Spheres beside the middle are seen as ellipses, longer than they are wide.
        let stretch = offset.length() / depth;
        let reach = radius * stretch * stretch / ((depth - radius) * self.pixel) + 1.0;
        let [left, top, right, bottom] = [left, top, right, bottom].map(|edge| edge as f32);
        x + reach > left && x - reach < right && y + reach > top && y - reach < bottom
    }
}

impl Picture {
    /// The picture as a JPEG of a quality from 1 to 100.
    pub(crate) fn jpeg(&self, quality: u8) -> Result<Vec<u8>, EncodingError> {
        let mut bytes = Vec::with_capacity(self.pixels.len() / 8);
        let mut encoder = Encoder::new(&mut bytes, quality.clamp(1, 100));
        let sampling = if quality >= 90 { SamplingFactor::R_4_4_4 } else { SamplingFactor::R_4_2_0 };
        encoder.set_sampling_factor(sampling);
        let [width, height] = self.size;
        encoder.encode(&self.pixels, width, height, ColorType::Rgb)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_picture_that_was_unwanted_for_a_moment_is_given_up() {
        let order = Order { size: [40, 36], camera: Camera::default(), angle: 0.0, smooth: false };
        let asked = AtomicUsize::new(0);
        assert!(order.draw(&|| asked.fetch_add(1, Ordering::Relaxed) < usize::MAX).is_some());
        for moment in 0..asked.into_inner() {
            let asked = AtomicUsize::new(0);
            assert!(order.draw(&|| asked.fetch_add(1, Ordering::Relaxed) != moment).is_none(), "{moment}");
        }
    }
}
