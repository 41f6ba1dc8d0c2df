//! What the macros accept, refuse and generate; see `tests`.
