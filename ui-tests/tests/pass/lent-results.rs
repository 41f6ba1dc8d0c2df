//! A method may lend what it returns, by whatever lifetime; the generated client gets it as its own.
#![deny(warnings)]

use std::{borrow::Cow, collections::HashMap};

use wslink::{Internal, client, rpc, service};

pub struct Names(Vec<String>);

#[service(client)]
impl Names {
    #[rpc("names.first")]
    fn first<'a>(&'a self) -> &'a str {
        &self.0[0]
    }

    #[rpc("names.second")]
    async fn second(&self, _at: u32) -> Result<Option<&str>, Internal> {
        Ok(self.0.get(1).map(String::as_str))
    }

    #[rpc("names.all")]
    fn all<'a>(&'a self) -> (&'a [String], Cow<'a, str>, HashMap<&'a str, u8>) {
        (&self.0, Cow::Borrowed(""), HashMap::new())
    }

    #[rpc("names.later", blocking)]
    fn later(&self) -> &'static str {
        "later"
    }
}

async fn uses(names: NamesClient) -> Result<(), client::Error> {
    let _: String = names.first().await?;
    let _: Option<String> = names.second(1).await?;
    let _: (Vec<String>, Cow<'static, str>, HashMap<String, u8>) = names.all().await?;
    let _: String = names.later().await?;
    Ok(())
}

fn main() {
    let _ = uses;
}
