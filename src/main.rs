//! The `scilit` command: parse the command line, run it, print the error.

use std::process::ExitCode;

fn main() -> ExitCode {
    match scilit::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scilit: {error:#}");
            ExitCode::from(scilit::cli::exit_code(&error))
        }
    }
}
