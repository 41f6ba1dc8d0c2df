//! Never names two crates that it depends on: their services are not linked, and nothing can know of them.

fn main() {
    program::check_methods();
    assert_eq!(program::not_mounted(), ["render 1.0.0 Forgotten"]);
}
