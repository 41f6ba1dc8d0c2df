//! Keeps a contract as it was: a file in the repository that a test compares with the code.

use std::{env, fs, path::Path};

use super::{Kind, Manifest, compare};

/// The variable that has the file written anew.
const UPDATE: &str = "UPDATE_MANIFEST";

impl Manifest {
    /// For a test: fails when a change since the manifest in the file `path` would break clients.
    ///
    /// Relative paths begin at the package. `UPDATE_MANIFEST=1 cargo test` writes the file, first and
    /// whenever a change is meant; additions and changes of documentation pass without.
    ///
    /// ```no_run
    /// # extern crate wslink_core as wslink;
    /// # struct Render;
    /// # #[wslink::service] impl Render {}
    /// #[test]
    /// fn clients_can_rely_on_render() {
    ///     wslink::Manifest::of::<Render>().assert_unchanged("render.manifest.json");
    /// }
    /// ```
    ///
    /// # Panics
    /// With one line for each change that would break clients.
    #[track_caller]
    pub fn assert_unchanged(&self, path: impl AsRef<Path>) {
        if let Err(text) = self.check(path.as_ref(), env::var_os(UPDATE).is_some()) {
            panic!("{text}");
        }
    }

    fn check(&self, path: &Path, update: bool) -> Result<(), String> {
        let shown = path.display();
        if update {
            return fs::write(path, self.to_json()).map_err(|error| format!("cannot write {shown}: {error}"));
        }
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {shown} ({error}); write it with `{UPDATE}=1 cargo test`"))?;
        let frozen: Self = text.parse().map_err(|error| format!("{shown} is {error}; write it with `{UPDATE}=1 cargo test`"))?;
        let breaking: Vec<_> = compare(&frozen, self).into_iter().filter(|change| change.kind == Kind::Breaking).collect();
        if breaking.is_empty() {
            return Ok(());
        }
        let lines: String = breaking.iter().map(|change| format!("  {change}\n")).collect();
        Err(format!(
            "clients that rely on {shown} would break:\n{lines}\
             undo the change, add a method beside the old one, or accept it with `{UPDATE}=1 cargo test`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service;

    mod before {
        pub(super) struct Api;

        #[super::service(crate = crate)]
        impl Api {
            #[rpc("api.image")]
            fn image(&self, width: u32, height: u32) -> u32 {
                width * height
            }
        }
    }

    mod after {
        pub(super) struct Api;

        #[super::service(crate = crate)]
        impl Api {
            #[rpc("api.image")]
            fn image(&self, width: u32) -> u32 {
                width
            }

            #[rpc("api.more")]
            fn more(&self) {}
        }
    }

    #[test]
    fn a_breaking_change_fails_with_the_change_in_words() {
        let file = env::temp_dir().join(format!("wslink-freeze-{}.json", std::process::id()));
        let (before, after) = (Manifest::of::<before::Api>(), Manifest::of::<after::Api>());
        let missing = before.check(&file, false).unwrap_err();
        assert!(missing.contains("UPDATE_MANIFEST=1"), "{missing}");
        before.check(&file, true).unwrap();
        before.check(&file, false).unwrap();
        let broken = after.check(&file, false).unwrap_err();
        assert!(broken.contains("breaking: `api.image`: parameter `height` is gone"), "{broken}");
        assert!(!broken.contains("api.more"), "{broken}");
        fs::remove_file(&file).unwrap();
    }
}
