//! The `scilit` command: parse the command line, run it, print the error.

use std::process::ExitCode;

use scilit::cli::Exit;

fn main() -> ExitCode {
    match scilit::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scilit: {error:#}");
            let code = error.downcast_ref::<Exit>().map(|exit| exit.code);
            ExitCode::from(code.unwrap_or_else(|| scilit::cli::exit_code(&error)))
        }
    }
}
