//! What the macros accept and what they refuse, and with how many errors.

use std::{fs, path::Path};

#[test]
fn accepted() {
    trybuild::TestCases::new().pass("tests/pass/*.rs");
}

#[test]
fn refused() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}

/// Each mistake is reported once: a case says how many errors it has in its first line.
#[test]
fn one_error_per_mistake() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fail");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let case = entry.unwrap().path();
        if case.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&case).unwrap();
        let stderr = fs::read_to_string(case.with_extension("stderr")).unwrap();
        let declared = source.lines().next().and_then(|line| line.strip_prefix("//! errors: "));
        let reported = stderr.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(declared, Some(reported.to_string().as_str()), "{}", case.display());
        cases += 1;
    }
    assert!(cases >= 40, "only {cases} mistakes are covered");
}
