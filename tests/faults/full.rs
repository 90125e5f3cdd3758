//! The disk is full, or fails.

use diesel::{connection::SimpleConnection, dsl::sql, prelude::*, sql_types::BigInt};
use scilit::{
    server::{Role, Settings},
    storage::Database,
};

use crate::support::{
    TestDatabase,
    app::{TestApp, counting},
    http::send,
    row_counts,
    storm::{Told, id, put},
};

/// Lets the file have so many pages more on every connection of the server.
fn room(database: &Database, pages: i64) {
    let Database::Sqlite { pool, writer, .. } = database else { panic!("SQLite") };
    let all = [pool, writer].into_iter().flat_map(|pool| (0..pool.max_size()).map(move |_| pool));
    let held: Vec<_> = all.map(|pool| pool.get().expect("a connection")).collect();
    for mut connection in held {
        let count: i64 = sql::<BigInt>("PRAGMA page_count").get_result(&mut *connection).expect("a count");
        connection.batch_execute(&format!("PRAGMA max_page_count = {}", count + pages)).expect("set");
    }
}

#[test]
fn acc023_rel_r6_a_full_disk_is_507_keeps_nothing_still_reads_and_goes_on_when_there_is_room() {
    let test = TestDatabase::sqlite();
    let settings = Settings { database_connections_max: Some(3), ..Settings::default() };
    let app = TestApp::start_with(&test, settings, counting);
    let secret = app.secret(Role::Surveyor);
    let body = format!("{{\"note\":\"{}\"}}", "字".repeat(20_000));
    let send_one = |number| put(app.address, secret, &id(1, 1, number), &body);
    assert!(matches!(send_one(0), Told::Receipt(202, _)), "the control: with room it is kept");

    room(app.database(), 1);
    let before = row_counts(&test);
    for number in 1..6 {
        assert!(matches!(send_one(number), Told::Later(507, 2..=6)), "{number}");
    }
    assert_eq!(row_counts(&test), before, "no row of any table");
    let again = send_one(0);
    assert!(matches!(again, Told::Receipt(200, _)), "what was kept still has its receipt: {again:?}");
    assert_eq!(app.get(Role::Supervisor, "/api/v1/quarantine").status, 200, "reads go on");
    assert_eq!(send(app.address, "GET", "/healthz", &[], b"").status, 200);

    room(app.database(), 10_000);
    for number in 1..6 {
        assert!(matches!(send_one(number), Told::Receipt(202, _)), "{number}: the same server, without a restart");
    }
    let rows = row_counts(&test);
    assert_eq!((rows["submission_raw"], rows["receipt"]), (6, 6));
}
