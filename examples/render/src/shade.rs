//! The colour of what a ray meets: a soft light, ambient light that corners miss, and reflections.

use glam::Vec3;

use crate::{
    scene::{LANES, Scene},
    trace::{Candidates, GROUND, Hit, Ray, SKY, floor},
};

/// Where the light comes from, of length 1.
const LIGHT: Vec3 = Vec3::new(0.477, 0.795, 0.375);
const LIGHT_COLOR: Vec3 = Vec3::new(2.3, 2.12, 1.86);
/// The tangent of half the angle under which the light appears.
const LIGHT_SIZE: f32 = 0.11;

const ZENITH: Vec3 = Vec3::new(0.010, 0.017, 0.040);
const HORIZON: Vec3 = Vec3::new(0.062, 0.098, 0.165);
const FLOOR_COLOR: Vec3 = Vec3::new(0.112, 0.158, 0.245);
/// What comes from above besides the light itself.
const OVERHEAD: Vec3 = Vec3::new(0.36, 0.43, 0.56);
/// From here to there the floor fades into the horizon.
const FADE: (f32, f32) = (9.0, 34.0);

/// The linear colour that `ray` shows, and the surface it comes from. `candidates` are what the ray can meet;
/// `all` is what reflections can.
pub(crate) fn color(scene: &Scene, candidates: &Candidates, all: &Candidates, ray: &Ray) -> (Vec3, u16) {
    if let Some(hit) = candidates.first(scene, ray) {
        return (glossy(scene, &hit, ray), hit.surface);
    }
    match floor(ray) {
        Some(hit) => (ground(scene, all, &hit, ray), GROUND),
        None => (sky(ray.along), SKY),
    }
}

/// The studio around the scene.
fn sky(along: Vec3) -> Vec3 {
    let height = along.y.max(0.0).sqrt();
    HORIZON.lerp(ZENITH, height)
}

/// What a surface of the molecule mirrors: the studio with its lamps, or the floor.
fn studio(along: Vec3) -> Vec3 {
    if along.y < 0.0 {
        return HORIZON.lerp(FLOOR_COLOR, (-along.y * 4.0).min(1.0));
    }
    let key = smoothstep(0.86, 0.93, along.dot(LIGHT));
    let strip = smoothstep(0.93, 0.97, along.dot(Vec3::new(-0.77, 0.45, 0.45)));
    sky(along) + LIGHT_COLOR * (key * 2.2 + strip * 0.7)
}

fn glossy(scene: &Scene, hit: &Hit, ray: &Ray) -> Vec3 {
    let mirrored = ray.along - hit.normal * (2.0 * ray.along.dot(hit.normal));
    let light = lighting(scene, hit.point, hit.normal, Some(mirrored));
    let facing = 1.0 + ray.along.dot(hit.normal);
    let fresnel = 0.04 + 0.66 * facing.clamp(0.0, 1.0).powi(5);
    matte(hit, &light) + studio(mirrored) * (fresnel * light.mirrored)
}

/// What a surface scatters of the light that reaches it.
fn matte(hit: &Hit, light: &Lighting) -> Vec3 {
    hit.color * (LIGHT_COLOR * (hit.normal.dot(LIGHT).max(0.0) * light.direct) + ambient(hit.normal) * light.ambient)
}

/// Light from everywhere: from above that of the studio, from below what the floor sends back.
fn ambient(normal: Vec3) -> Vec3 {
    (FLOOR_COLOR * 0.9).lerp(OVERHEAD, 0.5 + 0.5 * normal.y)
}

fn ground(scene: &Scene, all: &Candidates, hit: &Hit, ray: &Ray) -> Vec3 {
    let distance = hit.point.x.hypot(hit.point.z);
    let fade = smoothstep(FADE.0, FADE.1, distance);
    if fade >= 1.0 {
        return HORIZON;
    }
    let light = lighting(scene, hit.point, Vec3::Y, None);
    let lit = FLOOR_COLOR * (LIGHT_COLOR * (LIGHT.y * light.direct * 0.34) + OVERHEAD * (0.55 * light.ambient));
    let up = Ray { from: hit.point, along: Vec3::new(ray.along.x, -ray.along.y, ray.along.z) };
    let fresnel = 0.16 + 0.5 * (1.0 - up.along.y).powi(5);
    let mirrored = scene
        .bounds
        .meets(&up)
        .and_then(|_| all.first(scene, &up))
        .map_or_else(|| sky(up.along), |seen| matte(&seen, &lighting(scene, seen.point, seen.normal, None)));
    (lit + mirrored * fresnel).lerp(HORIZON, fade)
}

/// How much of each light reaches a point, from 0 to 1.
struct Lighting {
    direct: f32,
    ambient: f32,
    mirrored: f32,
}

/// Asks every occluder at once. Each hides a share of the light, and shares multiply.
fn lighting(scene: &Scene, point: Vec3, normal: Vec3, mirrored: Option<Vec3>) -> Lighting {
    let mut direct = [1.0_f32; LANES];
    let mut ambient = [1.0_f32; LANES];
    let mut reflected = [1.0_f32; LANES];
    let far = scene.bounds.radius * 3.2;
    if point.distance_squared(scene.bounds.center) > far * far {
        return Lighting { direct: 1.0, ambient: 1.0, mirrored: 1.0 };
    }
    for lanes in &scene.occluders.0 {
        for lane in 0..LANES {
            let (x, y, z) = (lanes.x[lane] - point.x, lanes.y[lane] - point.y, lanes.z[lane] - point.z);
            let squared = x * x + y * y + z * z;
            let radius = lanes.radius[lane];
            let cosine = (x * normal.x + y * normal.y + z * normal.z) / squared.sqrt();
            // The share of the hemisphere that a sphere covers, weighted by its cosine.
            ambient[lane] *= 1.0 - (cosine.max(0.0) * radius * radius / squared).min(1.0);
            direct[lane] *= passed([x, y, z], squared, radius, LIGHT, LIGHT_SIZE);
        }
        if let Some(along) = mirrored {
            for (lane, share) in reflected.iter_mut().enumerate() {
                let (x, y, z) = (lanes.x[lane] - point.x, lanes.y[lane] - point.y, lanes.z[lane] - point.z);
                *share *= passed([x, y, z], x * x + y * y + z * z, lanes.radius[lane], along, 0.2);
            }
        }
    }
    let product = |shares: [f32; LANES]| shares.into_iter().product::<f32>();
    Lighting { direct: product(direct), ambient: product(ambient), mirrored: product(reflected) }
}

/// How much of a light of some `size` in direction `along` passes a sphere at `offset`.
fn passed([x, y, z]: [f32; 3], squared: f32, radius: f32, along: Vec3, size: f32) -> f32 {
    let ahead = x * along.x + y * along.y + z * along.z;
    let beside = (squared - ahead * ahead).max(0.0).sqrt();
    // From -1, wholly behind the sphere, to 1, wholly beside it.
    let clear = (beside - radius) / (ahead.max(1e-3) * size + 0.02);
    let share = (0.5 + 0.5 * clear).clamp(0.0, 1.0);
    let is_ahead = if ahead > 0.0 && radius > 0.0 { 1.0 } else { 0.0 };
    1.0 - is_ahead * (1.0 - share * share * (3.0 - 2.0 * share))
}

fn smoothstep(from: f32, to: f32, value: f32) -> f32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// The bytes of a linear colour, bright ones rolled off.
pub(crate) fn displayed(color: Vec3) -> [u8; 3] {
    color.to_array().map(|linear| {
        let rolled = linear * (1.0 + linear * 0.12) / (1.0 + linear * 0.78);
        // The square root is near enough to a display's curve.
        byte(rolled.max(0.0).sqrt())
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is clamped, and casts saturate")]
fn byte(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}
