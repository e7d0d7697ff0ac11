//! `blob build` and `blob check`.

use blob::{Places, build, check};
use std::process::ExitCode;

/// STAPL's code for a usage error.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let places = Places::of_this_repository();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["build"] => build(&places).map(|built| {
            println!(
                "{} bytes at {:#010x}",
                built.manifest.size_bytes, built.manifest.load_address
            );
            println!("{}", built.manifest.compiler);
            true
        }),
        ["check"] => check(&places).map(|findings| {
            for finding in &findings {
                println!(
                    "{}: {}",
                    if finding.is_failure() { "FAIL" } else { "ok" },
                    finding.message()
                );
            }
            !findings.iter().any(blob::Finding::is_failure)
        }),
        _ => {
            eprintln!("usage: blob build | check");
            return ExitCode::from(USAGE);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
