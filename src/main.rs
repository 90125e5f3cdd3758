//! The `scilit` command: parse the command line, run it, print the error.

use std::process::ExitCode;

use scilit::cli::Exit;

fn main() -> ExitCode {
    match scilit::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scilit: {error:#}");
            error.downcast_ref::<Exit>().map_or(ExitCode::FAILURE, |exit| exit.code.into())
        }
    }
}
