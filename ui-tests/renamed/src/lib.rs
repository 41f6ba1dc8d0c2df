//! What the macros say where `wslink` is a dependency by another name; see `tests`.
