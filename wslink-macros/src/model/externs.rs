//! Reads the crates that the compiler was given: `wslink`, perhaps by another name.
//!
//! Only the compiler can resolve a path, and its complaint of one that it cannot does not know of the option
//! `crate`. It is called with `--extern name=path` for each dependency, and a macro runs inside of it.

use std::path::Path;

/// What the compiler calls the runtime.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// `wslink`, or nobody can tell.
    AsUsual,
    /// Something else.
    As(String),
    Nowhere,
}

/// From the compiler's arguments.
pub(super) fn find(arguments: impl Iterator<Item = String>) -> Found {
    let mut arguments = arguments.skip(1);
    let (mut any, mut renamed) = (false, None);
    while let Some(argument) = arguments.next() {
        let value = match argument.as_str() {
            "--crate-name" if arguments.next().as_deref() == Some("wslink") => return Found::AsUsual,
            "--extern" => arguments.next(),
            // There may be more arguments in that file.
            _ if argument.starts_with('@') => return Found::AsUsual,
            _ => argument.strip_prefix("--extern=").map(str::to_owned),
        };
        let Some(value) = value else { continue };
        let (name, path) = value.split_once('=').unwrap_or((&value, ""));
        let name = name.rsplit(':').next().unwrap_or(name);
        any = true;
        if name == "wslink" {
            return Found::AsUsual;
        }
        if is_runtime(Path::new(path)) {
            renamed = Some(name.to_owned());
        }
    }
    match renamed {
        Some(name) => Found::As(name),
        // An editor's server has other arguments.
        None if any => Found::Nowhere,
        None => Found::AsUsual,
    }
}

/// `libwslink-0123456789abcdef.rmeta`
fn is_runtime(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = stem.strip_prefix("lib").unwrap_or(stem);
    name.split('-').next() == Some("wslink")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_found_by_its_name_or_its_file() {
        for (arguments, found) in [
            ("rustc --crate-name app --extern wslink=/t/libwslink-12.rmeta", Found::AsUsual),
            ("rustc --crate-name app --extern priv:wslink", Found::AsUsual),
            (
                "rustc --crate-name app --extern serde=/t/libserde-1.rlib --extern ws=/t/libwslink-12.rmeta",
                Found::As("ws".into()),
            ),
            ("rustc --crate-name app --extern=serde=/t/libserde-1.rlib", Found::Nowhere),
            ("rustc --crate-name app --extern other=/t/libwslink_core-1.rlib", Found::Nowhere),
            ("rustc --crate-name wslink --extern serde=/t/libserde-1.rlib", Found::AsUsual),
            ("rustc @arguments", Found::AsUsual),
            ("analyzer-proc-macro-srv", Found::AsUsual),
        ] {
            assert_eq!(find(arguments.split(' ').map(str::to_owned)), found, "{arguments}");
        }
    }
}
