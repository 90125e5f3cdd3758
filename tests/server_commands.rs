//! `migrate`, `token`, `questionnaire publish` and `serve` from a shell.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

fn scilit(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.current_dir(folder.path()).env_clear().args(arguments).output().expect("the program runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success(), "{}", out(output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("questionnaires").join(name).display().to_string()
}

#[test]
fn migrate_names_what_it_applies_and_then_has_nothing_left() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(out(&scilit(&folder, &["migrate", "--pending"])).starts_with("pending "));
    assert!(out(&scilit(&folder, &["migrate"])).starts_with("applied "));
    assert_eq!(out(&scilit(&folder, &["migrate"])), "the schema is up to date\n");
    assert!(folder.path().join("scilit.db").is_file(), "the default database");
}

#[test]
fn a_mistyped_url_variable_or_key_is_an_error_and_makes_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = error(&scilit(&folder, &["migrate", "--database-url", "postgre://localhost/x"]));
    assert!(refused.contains("sqlite:"), "{refused}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    let with_variable =
        command.current_dir(folder.path()).env_clear().env("SCILIT_LISSEN", "1").arg("migrate").output();
    assert!(error(&with_variable.expect("the program runs")).contains("SCILIT_LISSEN"));
    std::fs::write(folder.path().join("c.toml"), "listen = \"127.0.0.1:1\"\npublic = true\n").expect("a file");
    let refused = error(&scilit(&folder, &["migrate", "--config", "c.toml"]));
    assert!(refused.contains("line 2") && refused.contains("public"), "{refused}");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left, ["c.toml"]);
}

#[test]
fn a_token_is_made_listed_without_its_secret_and_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = out(&scilit(&folder, &["token", "create", "--role", "analyst", "--label", "desk", "--days", "30"]));
    assert!(secret.starts_with("scilit_") && secret.trim().len() == 7 + 64, "{secret}");
    let list = out(&scilit(&folder, &["token", "list"]));
    let row: Vec<&str> = list.lines().nth(1).expect("a row").split('\t').collect();
    assert_eq!((row[1], row[2], row[4]), ("analyst", "desk", "valid"));
    assert!(!list.contains(secret.trim()));
    assert!(scilit(&folder, &["token", "revoke", row[0]]).status.success());
    assert!(out(&scilit(&folder, &["token", "list"])).contains("revoked"));
    assert!(error(&scilit(&folder, &["token", "revoke", row[0]])).contains("no such valid token"));
    assert!(error(&scilit(&folder, &["token", "create", "--role", "king", "--label", "x"])).contains("king"));
}

#[test]
fn keys_are_made_once_shown_without_their_secret_and_rotated_with_an_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let show = || out(&scilit(&folder, &["keys", "show"]));
    let first = show();
    assert_eq!(show(), first, "made once");
    assert!(first.contains("in use\tscilit+") && !first.contains("PRIVATE"), "{first}");
    let said = scilit(&folder, &["keys", "rotate"]);
    assert!(said.status.success() && !out(&said).contains("PRIVATE"));
    let rows: Vec<String> = show().lines().skip(1).map(str::to_owned).collect();
    assert_eq!(rows.iter().map(|row| row.contains("in use")).collect::<Vec<_>>(), [false, true]);
    let id = first.lines().nth(1).and_then(|row| row.split('\t').next()).expect("an id").to_owned();
    let shown = out(&scilit(&folder, &["audit", "show", "--object", &format!("key/{id}")]));
    assert!(shown.contains("key.rotate") && shown.contains("command-line"), "{shown}");
    // A log without a checkpoint is whole as far as it goes; there is nothing to prove with yet.
    assert!(out(&scilit(&folder, &["audit", "verify"])).contains("0 checkpoints"));
    assert!(error(&scilit(&folder, &["audit", "checkpoint"])).contains("no checkpoint"));
    assert!(error(&scilit(&folder, &["audit", "prove", "0"])).contains("no checkpoint covers entry 0"));
}

#[test]
fn a_verification_without_a_key_or_a_schema_says_so_and_makes_neither() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(error(&scilit(&folder, &["audit", "verify"])).contains("scilit migrate"));
    assert!(scilit(&folder, &["migrate"]).status.success());
    let refused = scilit(&folder, &["audit", "verify"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error(&refused).contains("--public-key"));
    assert!(!folder.path().join("scilit.db.keys").exists());
    assert_eq!(scilit(&folder, &["audit", "verify", "--public-key", "x"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_server_does_not_start_with_keys_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    assert!(scilit(&folder, &["keys", "show"]).status.success());
    let file = folder.path().join("scilit.db.keys/signing.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("set");
    let refused = error(&scilit(&folder, &["serve", "--listen", "127.0.0.1:0"]));
    assert!(refused.contains("other users can read it") && !refused.contains("PRIVATE"), "{refused}");
}

#[test]
fn a_questionnaire_is_published_once_and_a_broken_file_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let publish = |file: &str| scilit(&folder, &["questionnaire", "publish", file]);
    let file = shipped("csl-demo.toml");
    let first = out(&publish(&file));
    assert!(first.starts_with("published csl-demo "), "{first}");
    assert_eq!(out(&publish(&file)), first.replace("published", "already published"));
    let broken = folder.path().join("broken.toml");
    let text =
        std::fs::read_to_string(&file).expect("the file").replacen("type = \"single_choice\"", "type = \"sorcery\"", 1);
    std::fs::write(&broken, text).expect("a file");
    let refused = error(&publish(&broken.display().to_string()));
    assert!(refused.contains("broken.toml:") && refused.contains("sorcery"), "{refused}");
}

#[cfg(unix)]
#[test]
fn serve_prints_its_address_logs_json_without_secrets_and_ends_at_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = out(&scilit(&folder, &["token", "create", "--role", "analyst", "--label", "desk"]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.current_dir(folder.path()).env_clear().args(["serve", "--listen", "127.0.0.1:0"]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().expect("output")).read_line(&mut line).expect("a line");
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(&address).expect("a connection");
    let request = format!(
        "GET /api/v1/surveys?limit=canary HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        secret.trim()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let killed = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let ended = server.wait_with_output().expect("its end");
    assert!(ended.status.success());
    let logs = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(logs.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{logs}");
    assert!(logs.contains("/api/v1/surveys") && !logs.contains(secret.trim()) && !logs.contains("canary"), "{logs}");
}

fn scilit_with_input(folder: &TempDir, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.current_dir(folder.path()).env_clear().args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("an input");
    // A program that refuses its arguments may end before it reads.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

#[test]
fn the_first_administrator_comes_from_the_command_line_with_a_password_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let create = ["admin", "create", "chen"];
    assert!(error(&scilit_with_input(&folder, &create, "")).contains("standard input has none"), "no default password");
    assert!(error(&scilit_with_input(&folder, &create, "short\n")).contains("12 signs"));
    assert!(
        error(&scilit_with_input(&folder, &["admin", "create", "Chen"], "correct horse battery\n")).contains("login")
    );
    let made = scilit_with_input(&folder, &create, "correct horse battery\n");
    assert!(out(&made).starts_with("created chen "), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(error(&scilit_with_input(&folder, &create, "correct horse battery\n")).contains("taken"));
    let list = out(&scilit(&folder, &["user", "list"]));
    assert!(list.contains("chen\tchen\tactive\tadmin@"), "{list}");
    assert_eq!(out(&scilit(&folder, &["user", "disable", "chen"])), "chen disabled\n");
    assert_eq!(out(&scilit(&folder, &["user", "enable", "chen"])), "chen enabled\n");
    assert_eq!(out(&scilit(&folder, &["user", "unlock", "chen"])), "chen may sign in again\n");
    let set = scilit_with_input(&folder, &["user", "password", "chen"], "another horse battery\n");
    assert_eq!(out(&set), "chen has a new password\n");
    assert!(error(&scilit(&folder, &["user", "disable", "nobody"])).contains("no such account"));
}
