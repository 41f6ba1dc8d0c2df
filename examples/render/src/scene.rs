//! What is shown: a molecule of caffeine above a floor, as spheres and cylinders.

use glam::{Quat, Vec3};

/// Atoms, bonds, and what hides light, in one position of the molecule.
pub(crate) struct Scene {
    pub(crate) atoms: Vec<Sphere>,
    pub(crate) bonds: Vec<Cylinder>,
    /// The molecule's extent.
    pub(crate) bounds: Sphere,
    pub(crate) occluders: Occluders,
}

/// A sphere; its colour is linear red, green and blue.
#[derive(Clone, Copy)]
pub(crate) struct Sphere {
    pub(crate) center: Vec3,
    pub(crate) radius: f32,
    pub(crate) color: Vec3,
}

/// The mantle of a cylinder; its ends are inside of atoms.
#[derive(Clone, Copy)]
pub(crate) struct Cylinder {
    pub(crate) from: Vec3,
    /// From end to end.
    pub(crate) axis: Vec3,
    pub(crate) radius: f32,
}

/// Spheres that stand for the molecule where light is concerned, by lanes so that a processor does several at once.
pub(crate) struct Occluders(pub(crate) Vec<Lanes>);

pub(crate) const LANES: usize = 8;

/// Lanes that are not used have a radius of 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lanes {
    pub(crate) x: [f32; LANES],
    pub(crate) y: [f32; LANES],
    pub(crate) z: [f32; LANES],
    pub(crate) radius: [f32; LANES],
}

/// Where the floor is.
pub(crate) const FLOOR: f32 = -3.75;

pub(crate) const BOND_COLOR: Vec3 = Vec3::new(0.36, 0.39, 0.44);
const BOND_RADIUS: f32 = 0.14;
/// Atoms nearer than this are bonded, in ångström; but hydrogens never to each other.
const BOND: f32 = 1.65;
/// The molecule leans back by so much, in radians.
const LEAN: f32 = -0.3;

#[derive(Clone, Copy, PartialEq)]
enum Element {
    C,
    H,
    N,
    O,
}

impl Element {
    const fn radius(self) -> f32 {
        match self {
            Self::H => 0.32,
            Self::C => 0.52,
            Self::N | Self::O => 0.5,
        }
    }

    const fn color(self) -> Vec3 {
        match self {
            Self::H => Vec3::new(0.62, 0.65, 0.70),
            Self::C => Vec3::new(0.055, 0.065, 0.085),
            Self::N => Vec3::new(0.02, 0.16, 0.80),
            Self::O => Vec3::new(0.85, 0.045, 0.035),
        }
    }
}

impl Scene {
    /// The molecule, turned by `angle` radians.
    pub(crate) fn new(angle: f32) -> Self {
        use Element::H;
        let turn = Quat::from_rotation_y(angle) * Quat::from_rotation_x(LEAN);
        let placed = CAFFEINE.map(|(element, at)| (element, turn * Vec3::from(at)));
        let atoms: Vec<_> = placed
            .iter()
            .map(|(element, center)| Sphere { center: *center, radius: element.radius(), color: element.color() })
            .collect();
        let pairs = placed.iter().enumerate().flat_map(|(i, first)| placed[i + 1..].iter().map(move |second| (first, second)));
        let bonds: Vec<_> = pairs
            .filter(|((first, from), (second, to))| from.distance(*to) < BOND && !(*first == H && *second == H))
            .map(|((_, from), (_, to))| Cylinder { from: *from, axis: *to - *from, radius: BOND_RADIUS })
            .collect();
        let radius = atoms.iter().map(|atom| atom.center.length() + atom.radius).fold(0.0, f32::max);
        let bounds = Sphere { center: Vec3::ZERO, radius, color: Vec3::ZERO };
        let occluders = Occluders::of(&atoms, &bonds);
        Self { atoms, bonds, bounds, occluders }
    }
}

impl Occluders {
    fn of(atoms: &[Sphere], bonds: &[Cylinder]) -> Self {
        let of_atoms = atoms.iter().map(|atom| (atom.center, atom.radius));
        // One in the middle of a bond is all that its atoms do not cover.
        let of_bonds = bonds.iter().map(|bond| (bond.from + bond.axis * 0.5, bond.radius * 0.95));
        let spheres: Vec<_> = of_atoms.chain(of_bonds).collect();
        Self(spheres.chunks(LANES).map(Lanes::of).collect())
    }
}

impl Lanes {
    fn of(spheres: &[(Vec3, f32)]) -> Self {
        let mut lanes = Self::default();
        for (lane, (center, radius)) in spheres.iter().enumerate().take(LANES) {
            [lanes.x[lane], lanes.y[lane], lanes.z[lane]] = center.to_array();
            lanes.radius[lane] = *radius;
        }
        lanes
    }
}

/// Caffeine in its plane, in ångström.
const CAFFEINE: [(Element, [f32; 3]); 24] = {
    use Element::{C, H, N, O};
    [
        (O, [0.470, 2.569, 0.001]),
        (O, [-3.127, -0.444, 0.000]),
        (N, [-0.969, -1.313, 0.000]),
        (N, [2.218, 0.141, 0.000]),
        (N, [-1.348, 1.080, 0.000]),
        (N, [1.412, -1.937, 0.000]),
        (C, [0.858, 0.259, -0.001]),
        (C, [0.390, -1.026, 0.000]),
        (C, [0.031, 1.422, -0.001]),
        (C, [-1.906, -0.250, 0.000]),
        (C, [2.503, -1.200, 0.000]),
        (C, [-1.428, -2.696, 0.001]),
        (C, [3.193, 1.206, 0.000]),
        (C, [-2.297, 2.188, 0.001]),
        (H, [3.516, -1.579, 0.001]),
        (H, [-1.045, -3.197, -0.894]),
        (H, [-2.519, -2.760, 0.001]),
        (H, [-1.045, -3.196, 0.896]),
        (H, [4.199, 0.780, 0.000]),
        (H, [3.047, 1.809, -0.899]),
        (H, [3.047, 1.808, 0.900]),
        (H, [-1.809, 3.165, 0.000]),
        (H, [-2.932, 2.103, 0.888]),
        (H, [-2.935, 2.102, -0.885]),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_molecule_has_its_bonds_and_stands_above_the_floor() {
        for angle in [0.0, 1.0, 4.0] {
            let scene = Scene::new(angle);
            assert_eq!(scene.bonds.len(), 25);
            assert!(scene.atoms.iter().all(|atom| atom.center.y - atom.radius > FLOOR), "{angle}");
        }
    }
}
