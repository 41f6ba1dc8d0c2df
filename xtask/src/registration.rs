//! `cargo xtask test registration`: no method is lost, however a program is built and linked.
//!
//! Builds the programs of `registration-tests/` with combinations of profile, link-time optimisation and codegen units,
//! runs them, and links their static library into a C program.

use std::process::Command;

use crate::command::{self, Outcome};

const PROFILES: [&str; 2] = ["dev", "release"];
const LTO: [&str; 3] = ["off", "thin", "fat"];
const CODEGEN_UNITS: [u8; 2] = [1, 16];

const PROGRAMS: [&str; 2] = ["names-all", "names-some"];

/// The combinations of which others have only parts: nothing optimised, and everything.
pub(crate) fn run_sample() -> Outcome {
    for (profile, lto, units) in [("dev", "off", 16), ("release", "fat", 1)] {
        println!("{profile}, LTO {lto}, {units} codegen units:");
        check(profile, lto, units)?;
    }
    Ok(())
}

pub(crate) fn run_all() -> Outcome {
    for profile in PROFILES {
        for lto in LTO {
            for units in CODEGEN_UNITS {
                println!("{profile}, LTO {lto}, {units} codegen units:");
                check(profile, lto, units)?;
            }
        }
    }
    Ok(())
}

fn check(profile: &str, lto: &str, units: u8) -> Outcome {
    let root = command::root();
    let target = root.join("target/registration");
    let mut build = command::cargo(&["build", "--quiet", "--locked", "--profile", profile]);
    build.args(["--manifest-path", "registration-tests/Cargo.toml", "--target-dir"]).arg(&target);
    build.args(["--config", &format!("profile.{profile}.lto=\"{lto}\"")]);
    build.args(["--config", &format!("profile.{profile}.codegen-units={units}")]);
    // The compiler cannot keep single objects of what it optimises as a whole.
    build.env("CARGO_INCREMENTAL", "0");
    command::run(&mut build)?;

    let built = target.join(if profile == "dev" { "debug" } else { profile });
    for program in PROGRAMS {
        command::run(&mut Command::new(built.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))))?;
    }
    if cfg!(unix) {
        let program = built.join("embedded-in-c");
        let mut link = Command::new("cc");
        link.arg(root.join("registration-tests/embedded/main.c")).arg(built.join("libembedded.a"));
        link.arg("-o").arg(&program).args(["-lpthread", "-ldl", "-lm"]);
        if cfg!(target_os = "linux") {
            link.arg("-lgcc_s");
        }
        command::run(&mut link)?;
        command::run(&mut Command::new(program))?;
    }
    Ok(())
}
