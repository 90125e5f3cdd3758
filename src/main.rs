//! The `scilit` command: parse the command line, run it, print the error.

use std::process::ExitCode;

/// The system's allocator took a fifth of a busy server's time, and threads kept what they had freed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match scilit::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scilit: {error:#}");
            ExitCode::from(scilit::cli::exit_code(&error))
        }
    }
}
