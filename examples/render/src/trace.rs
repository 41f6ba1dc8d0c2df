//! What a ray meets first.

use glam::Vec3;

use crate::scene::{BOND_COLOR, Cylinder, FLOOR, Scene, Sphere};

#[derive(Clone, Copy)]
pub(crate) struct Ray {
    pub(crate) from: Vec3,
    /// Of length 1.
    pub(crate) along: Vec3,
}

/// A point of a surface.
#[derive(Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) point: Vec3,
    pub(crate) normal: Vec3,
    pub(crate) color: Vec3,
    /// Which surface: pixels beside each other that show different ones lie at an edge.
    pub(crate) surface: u16,
}

/// The surface of what no ray meets, and that of the floor.
pub(crate) const SKY: u16 = 0;
pub(crate) const GROUND: u16 = 1;
const FIRST_ATOM: u16 = 2;

/// The parts of a scene that a group of rays can meet.
#[derive(Default)]
pub(crate) struct Candidates {
    atoms: Vec<u16>,
    bonds: Vec<u16>,
}

impl Candidates {
    /// All parts for which `may_meet` says so of a sphere around them.
    pub(crate) fn of(scene: &Scene, may_meet: impl Fn(Vec3, f32) -> bool) -> Self {
        let atoms = (0..).zip(&scene.atoms).filter(|(_, atom)| may_meet(atom.center, atom.radius));
        let bonds = (0..).zip(&scene.bonds).filter(|(_, bond)| {
            let half = bond.axis * 0.5;
            may_meet(bond.from + half, half.length() + bond.radius)
        });
        Self { atoms: atoms.map(|(index, _)| index).collect(), bonds: bonds.map(|(index, _)| index).collect() }
    }

    /// The first of them that `ray` meets.
    pub(crate) fn first(&self, scene: &Scene, ray: &Ray) -> Option<Hit> {
        let mut nearest = f32::INFINITY;
        let mut found = None;
        for &index in &self.atoms {
            let atom = &scene.atoms[usize::from(index)];
            if let Some(distance) = atom.meets(ray).filter(|distance| *distance < nearest) {
                nearest = distance;
                let point = ray.from + ray.along * distance;
                let normal = (point - atom.center) / atom.radius;
                found = Some(Hit { point, normal, color: atom.color, surface: FIRST_ATOM + index });
            }
        }
        for &index in &self.bonds {
            let bond = &scene.bonds[usize::from(index)];
            if let Some((distance, normal)) = bond.meets(ray).filter(|(distance, _)| *distance < nearest) {
                nearest = distance;
                let point = ray.from + ray.along * distance;
                found = Some(Hit { point, normal, color: BOND_COLOR, surface: u16::MAX - index });
            }
        }
        found
    }
}

/// Where `ray` meets the floor, from above.
pub(crate) fn floor(ray: &Ray) -> Option<Hit> {
    let distance = (FLOOR - ray.from.y) / ray.along.y;
    (ray.along.y < -1e-4 && distance > 0.0).then(|| {
        let point = ray.from + ray.along * distance;
        Hit { point, normal: Vec3::Y, color: Vec3::ZERO, surface: GROUND }
    })
}

impl Sphere {
    /// The distance at which `ray` enters the sphere.
    pub(crate) fn meets(&self, ray: &Ray) -> Option<f32> {
        let offset = ray.from - self.center;
        let toward = offset.dot(ray.along);
        let inside = toward * toward - offset.length_squared() + self.radius * self.radius;
        (inside > 0.0).then(|| -toward - inside.sqrt()).filter(|distance| *distance > 1e-3)
    }
}

impl Cylinder {
    /// The distance at which `ray` enters through the mantle, and the normal there.
    fn meets(&self, ray: &Ray) -> Option<(f32, Vec3)> {
        let offset = ray.from - self.from;
        let (length, along, start) = (self.axis.length_squared(), self.axis.dot(ray.along), self.axis.dot(offset));
        let a = length - along * along;
        let b = length * offset.dot(ray.along) - start * along;
        let c = length * (offset.length_squared() - self.radius * self.radius) - start * start;
        let inside = b * b - a * c;
        if inside <= 0.0 {
            return None;
        }
        let distance = (-b - inside.sqrt()) / a;
        let height = start + distance * along;
        (distance > 1e-3 && height > 0.0 && height < length).then(|| {
            let normal = (offset + ray.along * distance - self.axis * (height / length)) / self.radius;
            (distance, normal)
        })
    }
}
