//! `wslink-soak MINUTES`: starts itself as a server, loads it, and says whether every promise was kept.

use std::{env, error::Error, process::ExitCode, time::Duration};

mod client;
mod hostile;
mod ledger;
mod load;
mod process;
mod service;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let what = env::args().nth(1).ok_or("usage: wslink-soak MINUTES")?;
    if what == "serve" {
        service::serve().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let minutes: f64 = what.parse()?;
    let summary = load::run(Duration::try_from_secs_f64(minutes * 60.0)?).await?;
    println!("{summary}");
    Ok(if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
