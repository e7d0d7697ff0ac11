//! The `rtflash` program.

fn main() -> std::process::ExitCode {
    rtflash::cli::run()
}
