//! The commands as a stranger meets them: help that explains, errors that name what is wrong.

use assert_cmd::Command;

fn scilit(arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_scilit")).args(arguments).assert()
}

fn help(arguments: &[&str]) -> String {
    String::from_utf8(scilit(arguments).success().get_output().stdout.clone()).expect("UTF-8")
}

const COMMANDS: [&str; 18] = [
    "demo",
    "serve",
    "migrate",
    "token",
    "keys",
    "audit",
    "vault",
    "backup",
    "restore",
    "questionnaire",
    "score",
    "weight",
    "estimate",
    "plan",
    "sample",
    "simulate",
    "export",
    "run",
];

#[test]
fn the_help_names_every_command_with_a_sentence() {
    let text = help(&["--help"]);
    for command in COMMANDS {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{command} ")));
        let about = line.unwrap_or_else(|| panic!("{command} is not in the help:\n{text}"));
        assert!(about.split_whitespace().count() >= 4, "{command} is not explained: {about}");
    }
}

#[test]
fn every_option_of_every_command_is_explained() {
    for command in COMMANDS {
        let text = help(&[command, "--help"]);
        assert!(text.contains("Usage: scilit"), "{command}");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("--")) {
            // The explanation stands on the line itself or on the next one.
            let same = line.split_whitespace().count() > 2;
            let next = lines.get(at + 1).is_some_and(|next| !next.trim().is_empty());
            assert!(same || next, "{command}: no explanation at {line:?}");
        }
    }
}

#[test]
fn an_unknown_command_or_option_is_an_error_and_never_a_default() {
    for wrong in [vec!["servee"], vec!["serve", "--lisen", "127.0.0.1:1"], vec!["estimate", "--plan"], vec![]] {
        scilit(&wrong).failure();
    }
}
