//! The crate `wslink` is called `ws` here: with the option `crate` all works, without it one error names the option.

#[test]
fn the_option_is_named_once_and_works() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/fail/*.rs");
    cases.pass("tests/pass/*.rs");
}
