//! Expansions of blocks: each `tests/expansion/*.rs` beside its `.expanded.rs`.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p wslink-macros` writes them anew.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, Meta};

use crate::expand;

/// The promise of the macro: what a method of up to three parameters adds to a program.
const MAX_LINES_PER_METHOD: usize = 21;

#[test]
fn expansions_are_as_recorded() {
    for case in cases() {
        let expanded = formatted(&expansion_of(&fs::read_to_string(&case).unwrap()));
        let snapshot = case.with_extension("expanded.rs");
        if env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&snapshot, &expanded).unwrap();
        }
        let recorded = fs::read_to_string(&snapshot).unwrap_or_default();
        assert!(recorded == expanded, "{} differs from:\n{expanded}", snapshot.display());
    }
}

#[test]
fn a_method_costs_few_lines() {
    let mut methods = 0;
    for case in cases() {
        let expanded = formatted(&expansion_of(&fs::read_to_string(&case).unwrap()));
        let lines: Vec<_> = expanded.lines().collect();
        for (at, first) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("const __method_")) {
            let indent = first.len() - first.trim_start().len();
            let end = format!("{:indent$}}};", "");
            let length = lines[at..].iter().position(|line| *line == end).unwrap() + 1;
            let text = lines[at..at + length].join("\n");
            let parameters = text.matches("__rt::required(").count() + text.matches("__rt::optional(").count();
            assert!(parameters > 3 || length <= MAX_LINES_PER_METHOD, "{length} lines:\n{text}");
            methods += 1;
        }
    }
    assert!(methods > 3, "only {methods} methods are counted");
}

#[test]
fn generated_code_names_the_runtime_only() {
    let block = "#[service(crate = my::runtime)] impl A { #[topic(\"a.b\")] const B: T; #[rpc(\"a.c\")] fn c(&self, d: D) {} }";
    let expanded = expansion_of(block).to_string();
    assert!(expanded.contains("my :: runtime :: __private"), "{expanded}");
    for foreign in ["wslink", "std ::", "core ::"] {
        assert!(!expanded.contains(foreign), "`{foreign}` in {expanded}");
    }
}

#[test]
fn a_block_survives_whatever_is_wrong_with_it() {
    for block in [
        "#[service(nonsense = )] impl A { #[rpc] fn b(&mut self, (c, d): E) { self. ; } }",
        "#[service] impl<T> A<T> { #[topic(\"\")] const B: T; fn b(&self) { self. } }",
        // What breaks the syntax of Rust is the compiler's to report.
        "#[service] impl A { #[rpc(\"a.b\")] fn b(&self, c: ) {} fn b(&self) {} }",
    ] {
        let expanded = expansion_of(block).to_string();
        assert!(expanded.contains("compile_error") || block.contains("c: )"), "{expanded}");
        assert!(expanded.contains("fn b (&"), "{expanded}");
        assert!(!expanded.contains("# [rpc") || expanded.contains("__in_service"), "{expanded}");
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansion");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: Vec<_> = files.filter(|path| !path.to_string_lossy().ends_with(".expanded.rs")).collect();
    assert!(!cases.is_empty());
    cases
}

/// The expansion of the one block in `source`, on which `#[service]` comes first, or of the one error.
fn expansion_of(source: &str) -> TokenStream {
    let Some(start) = source.find("#[service") else {
        return crate::error::derive(source.parse().unwrap());
    };
    let end = start + source[start..].find(']').unwrap();
    let attribute: TokenStream = source[start..=end].parse().unwrap();
    let marked: Item = syn::parse2(quote::quote!(#attribute struct Marked;)).unwrap();
    let Item::Struct(marked) = marked else { unreachable!() };
    let options = match &marked.attrs[0].meta {
        Meta::List(list) => list.tokens.clone(),
        other => {
            assert_eq!(other.to_token_stream().to_string(), "service");
            TokenStream::new()
        }
    };
    let block = format!("{}{}", &source[..start], &source[end + 1..]);
    expand::service(options, &block.parse().unwrap())
}

/// As `cargo fmt` would write it, if it looked into our own macros too.
fn formatted(tokens: &TokenStream) -> String {
    let tokens = tokens.to_string();
    let tokens = tokens.replace(":: wslink :: __private :: client ! {", "mod inside_client {");
    let tokens = tokens.replace("__RenderClient RenderClient", "struct RenderClient;");
    let tokens = tokens.replace("__rt :: require_schemas ! {", "fn inside_require_schemas() {");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(workspace)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    rustfmt.stdin.take().unwrap().write_all(tokens.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success(), "{tokens}");
    String::from_utf8(output.stdout).unwrap()
}
