//! The crates that are measured: the same methods for each library.

use std::{fs, path::Path};

use crate::command::{self, Outcome};

/// A library with the way to write a service for it.
pub(super) struct Library {
    pub(super) name: &'static str,
    /// Of the generated crate.
    pub(super) package: &'static str,
    dependencies: &'static str,
    /// What stands before the methods, between their declarations and their bodies, and after them.
    before: &'static str,
    declaration: fn(&str, &str, &str) -> String,
    between: &'static str,
    body: fn(&str, &str, &str) -> String,
    after: &'static str,
}

pub(super) const LIBRARIES: [Library; 3] = [
    Library {
        name: "wslink",
        package: "with-wslink",
        dependencies: "wslink = { path = \"{root}/wslink\" }",
        before: "use wslink::{CallError, Server, service};\n\npub struct Api;\n\n",
        declaration: |_, _, _| String::new(),
        between: "#[service]\nimpl Api {\n",
        body: |name, parameters, value| {
            format!(
                "    #[rpc(\"api.{name}\")]\n    async fn {name}(&self, {parameters}) -> Result<Reply, CallError> {{\n        Ok({value})\n    }}\n"
            )
        },
        after: "}\n\nfn main() {\n    let server = Server::builder().mount(Api).build().unwrap();\n    println!(\"{}\", server.methods().count());\n}\n",
    },
    Library {
        name: "jsonrpsee 0.26, server only",
        package: "with-jsonrpsee",
        dependencies: "jsonrpsee = { version = \"0.26\", features = [\"server\", \"macros\"] }\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        before: "use jsonrpsee::{core::async_trait, proc_macros::rpc, server::Server, types::ErrorObjectOwned};\n\npub struct Api;\n\n#[rpc(server)]\npub trait Api_ {\n",
        declaration: |name, parameters, _| {
            format!(
                "    #[method(name = \"api_{name}\")]\n    async fn {name}(&self, {parameters}) -> Result<Reply, ErrorObjectOwned>;\n"
            )
        },
        between: "}\n\n#[async_trait]\nimpl Api_Server for Api {\n",
        body: |name, parameters, value| {
            format!(
                "    async fn {name}(&self, {parameters}) -> Result<Reply, ErrorObjectOwned> {{\n        Ok({value})\n    }}\n"
            )
        },
        after: "}\n\n#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    let server = Server::builder().build(\"127.0.0.1:0\").await.unwrap();\n    let _handle = server.start(Api.into_rpc());\n}\n",
    },
    Library {
        name: "tarpc 0.38, server and client",
        package: "with-tarpc",
        dependencies: "tarpc = { version = \"0.38\", features = [\"serde1\", \"serde-transport\", \"serde-transport-json\", \"tcp\", \"tokio1\"] }\nfutures = \"0.3\"\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }",
        before: "use futures::StreamExt;\nuse tarpc::{context::Context, server::{BaseChannel, Channel}, tokio_serde::formats::Json};\n\n#[derive(Clone)]\npub struct Api;\n\n#[tarpc::service]\npub trait Service {\n",
        declaration: |name, parameters, _| format!("    async fn {name}({parameters}) -> Result<Reply, String>;\n"),
        between: "}\n\nimpl Service for Api {\n",
        body: |name, parameters, value| {
            format!(
                "    async fn {name}(self, _: Context, {parameters}) -> Result<Reply, String> {{\n        Ok({value})\n    }}\n"
            )
        },
        after: "}\n\n#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    let mut listener = tarpc::serde_transport::tcp::listen(\"127.0.0.1:0\", Json::default).await.unwrap();\n    while let Some(Ok(transport)) = listener.next().await {\n        BaseChannel::with_defaults(transport).execute(Api.serve()).for_each(|call| async move {\n            tokio::spawn(call);\n        }).await;\n    }\n}\n",
    },
];

/// What is edited in one of the first methods.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Body,
    /// The name of a parameter.
    Parameter,
    /// Lines before it, which move all that follows.
    Lines,
}

/// The method that is edited.
const EDITED: usize = 4;

impl Library {
    /// Writes a crate with so many methods.
    pub(super) fn write(&self, package: &Path, methods: usize, edit: Option<Edit>) -> Outcome {
        let write = |file: &str, text: &str| {
            let path = package.join(file);
            fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        fs::create_dir_all(package.join("src")).map_err(|error| format!("cannot create {}: {error}", package.display()))?;
        let dependencies = self.dependencies.replace("{root}", &command::root().to_string_lossy());
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n{dependencies}\n",
            self.package
        );
        write("Cargo.toml", &manifest)?;
        write("src/main.rs", &self.program(methods, edit))
    }

    fn program(&self, methods: usize, edit: Option<Edit>) -> String {
        let reply = "use serde::{Deserialize, Serialize};\n\n#[derive(Clone, Debug, Serialize, Deserialize)]\npub struct Reply {\n    text: String,\n    number: f64,\n}\n\n";
        let each = |write: fn(&str, &str, &str) -> String| -> String {
            (0..methods)
                .map(|index| {
                    let (parameters, value) = SIGNATURES[index % SIGNATURES.len()];
                    let name = format!("method_{index}");
                    match edit.filter(|_| index == EDITED) {
                        None => write(&name, parameters, value),
                        Some(Edit::Body) => write(&name, parameters, &format!("{{ let _edited = 1; {value} }}")),
                        Some(Edit::Parameter) => {
                            write(&name, &parameters.replace("a: ", "alpha: "), &value.replace("(a)", "(alpha)"))
                        }
                        Some(Edit::Lines) => format!("\n\n{}", write(&name, parameters, value)),
                    }
                })
                .collect()
        };
        [reply, self.before, &each(self.declaration), self.between, &each(self.body), self.after].concat()
    }
}

/// Parameters, and a reply made of them.
const SIGNATURES: [(&str, &str); 4] = [
    ("a: u32, b: String, c: Option<f64>", "Reply { text: b, number: c.unwrap_or_default() + f64::from(a) }"),
    ("first: String, second: Vec<u8>", "Reply { text: first, number: second.len() as f64 }"),
    (
        "reply: Reply, times: u16, exact: bool",
        "Reply { number: reply.number * f64::from(times) + f64::from(u8::from(exact)), ..reply }",
    ),
    ("x: f64, y: f64, z: f64", "Reply { text: String::new(), number: x + y + z }"),
];
