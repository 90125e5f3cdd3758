//! Killed: the server, and all of PostgreSQL.

use std::{thread, time::Duration};

use diesel::connection::SimpleConnection;
use scilit::{
    server::{Role, Settings},
    storage::Database,
};

use crate::{
    away::probe,
    cycles,
    support::{
        TestDatabase,
        app::{TestApp, counting},
        on_every_backend, postgres,
        storm::{Findings, Program, Sent, acknowledged, compare, send_again, storm_while, token},
    },
};

const CLIENTS: u32 = 8;

/// 0 to 500 ms, spread, and the same each time the test runs.
fn a_while(cycle: u32) -> Duration {
    Duration::from_millis(50 + u64::from(cycle) * 197 % 450)
}

#[test]
fn acc022_rel_r2_a_killed_server_loses_doubles_and_alters_nothing_on_either_database() {
    on_every_backend(|test| {
        let secret = token(test, "surveyor");
        let mut journal: Vec<Sent> = Vec::new();
        let cycles = cycles(5);
        for cycle in 0..cycles {
            let server = Program::start(test);
            send_again(server.address, &secret, &mut journal);
            let address = server.address;
            journal.extend(storm_while(address, &secret, (cycle, CLIENTS), || {
                thread::sleep(a_while(cycle));
                server.kill();
            }));
            assert_eq!(compare(test, &journal), Findings::default(), "after cycle {cycle}");
        }
        let acknowledged = acknowledged(&journal);
        let server = Program::start(test);
        send_again(server.address, &secret, &mut journal);
        assert_eq!(compare(test, &journal), Findings::default());
        eprintln!("{cycles} kills, {acknowledged} acknowledged before them, {} in all", journal.len());
        assert!(acknowledged > cycles as usize, "something to lose: {acknowledged}");
        // The control: the comparison sees a submission that somebody was told is kept and is not, and a foreign row.
        let mut claimed = journal.clone();
        claimed.push(Sent { id: "019abcde-ffff-7000-8000-000000000000".to_owned(), ..journal[0].clone() });
        let forgotten = journal[1..].to_vec();
        assert_eq!((compare(test, &claimed).lost, compare(test, &forgotten).ghosts), (1, 1));
    });
}

/// Storms against a server whose PostgreSQL is killed whole in the middle; what the clients remember, and the database.
fn killed_postgres(relaxed: bool) -> Option<(Findings, usize)> {
    let postgres = postgres::another()?;
    let test = TestDatabase::on(&postgres);
    let app =
        TestApp::start_with(&test, Settings { database_connections_max: Some(4), ..Settings::default() }, counting);
    // What nobody waits for stays in memory for long, with either setting: only the wait at the commit differs.
    for setting in ["wal_writer_delay = '10s'", "wal_writer_flush_after = '1GB'"] {
        test.execute(&format!("ALTER SYSTEM SET {setting}")).expect("set");
    }
    test.execute("SELECT pg_reload_conf()").expect("read");
    let (mut journal, mut acknowledged_before) = (Vec::new(), 0);
    for cycle in 0..cycles(2) {
        if relaxed {
            relax(app.database());
        }
        let secret = app.secret(Role::Surveyor);
        let sent = storm_while(app.address, secret, (cycle, CLIENTS), || {
            thread::sleep(Duration::from_millis(300) + a_while(cycle));
            postgres.kill();
        });
        acknowledged_before += acknowledged(&sent);
        journal.extend(sent);
        postgres.start_again();
        let findings = compare(&test, &journal);
        if findings != Findings::default() {
            return Some((findings, acknowledged_before));
        }
    }
    // The same server, never restarted, takes what it could not take.
    app.recovered();
    journal.push(probe());
    send_again(app.address, app.secret(Role::Surveyor), &mut journal);
    Some((compare(&test, &journal), acknowledged_before))
}

fn relax(database: &Database) {
    let Database::Postgres { pool } = database else { panic!("PostgreSQL") };
    let held: Vec<_> = (0..pool.max_size()).map(|_| pool.get().expect("a connection")).collect();
    for mut connection in held {
        connection.batch_execute("SET synchronous_commit = off").expect("set");
    }
}

#[test]
fn rel_r2_postgres_killed_whole_loses_doubles_and_alters_nothing() {
    let Some((findings, acknowledged)) = killed_postgres(false) else { return };
    assert_eq!(findings, Findings::default());
    assert!(acknowledged > 10, "something to lose: {acknowledged}");
}

#[test]
fn rel_r2_control_the_same_kill_loses_acknowledged_submissions_with_synchronous_commit_off() {
    let Some((findings, acknowledged)) = killed_postgres(true) else { return };
    assert!(findings.lost > 0, "the trial cannot fail: {acknowledged} acknowledged, {findings:?}");
}
