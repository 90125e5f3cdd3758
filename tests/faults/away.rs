//! The database is away: stopped, frozen, or locked by an intruder. Clients hear so in time, and it goes on by itself.

use std::{
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use scilit::server::Role;

use crate::support::{
    TestDatabase,
    app::TestApp,
    http::send,
    on_every_backend, postgres,
    storm::{Findings, Program, Sent, Told, compare, id, now, put, token},
};

const ANSWER_MAX: Duration = Duration::from_secs(3);
const RECOVERY_MAX: Duration = Duration::from_secs(5);

/// What is sent to see whether the server takes anything.
pub fn probe() -> Sent {
    Sent { id: id(0xfff, 0xfff, 0), body: "{}".to_owned(), receipt: None }
}

impl TestApp {
    /// Waits until a submission is taken again; how long that took.
    pub fn recovered(&self) -> Duration {
        let begun = now();
        let mut number = 0;
        while begun.elapsed() < Duration::from_secs(30) {
            let Sent { id, body, .. } = probe();
            let told = put(self.address, self.secret(Role::Surveyor), &id, &body);
            if matches!(told, Told::Receipt(..)) {
                return begun.elapsed();
            }
            number += 1;
            thread::sleep(Duration::from_millis(50));
        }
        panic!("not recovered after {number} tries");
    }
}

/// What clients and a monitor saw while the database was away.
struct Seen {
    answers: Vec<(Told, Duration)>,
    health: Vec<Duration>,
}

/// Four clients send and a monitor looks, for so long; everything is timed.
fn watch(app: &TestApp, wave: u32, time: Duration) -> Seen {
    let (stop, answers, health) = (AtomicBool::new(false), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let secret = app.secret(Role::Surveyor);
    thread::scope(|scope| {
        for client in 0..4 {
            let (stop, answers) = (&stop, &answers);
            scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    let begun = now();
                    let told = put(app.address, secret, &id(wave, client, number), "{}");
                    answers.lock().expect("a lock").push((told, begun.elapsed()));
                    number += 1;
                }
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let begun = now();
                assert_eq!(send(app.address, "GET", "/healthz", &[], b"").status, 200);
                health.lock().expect("a lock").push(begun.elapsed());
                thread::sleep(Duration::from_millis(20));
            }
        });
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    Seen { answers: answers.into_inner().expect("answers"), health: health.into_inner().expect("times") }
}

fn assert_told_in_time(seen: &Seen, what: &str) {
    let is_told = |told: &Told| matches!(told, Told::Later(503, 2..=6));
    for (told, took) in &seen.answers {
        assert!(is_told(told), "{what}: {told:?} after {took:?}");
        assert!(*took < ANSWER_MAX, "{what}: told after {took:?}");
    }
    assert!(seen.answers.len() >= 4, "{what}: {} answers", seen.answers.len());
    let mut health = seen.health.clone();
    health.sort();
    let p99 = health[health.len() * 99 / 100];
    assert!(p99 < Duration::from_millis(200), "{what}: /healthz took {p99:?}");
}

#[test]
fn rel_r7_a_postgres_that_is_stopped_or_frozen_is_told_in_three_seconds_and_over_in_five() {
    let Some(postgres) = postgres::another() else { return };
    let test = TestDatabase::on(&postgres);
    let app = TestApp::start(&test);
    app.recovered();
    let control = watch(&app, 1, Duration::from_millis(300));
    assert!(control.answers.iter().all(|(told, _)| matches!(told, Told::Receipt(..))), "the control: all is well");

    postgres.stop();
    assert_told_in_time(&watch(&app, 2, Duration::from_secs(5)), "stopped");
    postgres.start_again();
    let took = app.recovered();
    assert!(took < RECOVERY_MAX, "after a stop: {took:?}");

    postgres.freeze();
    let frozen = watch(&app, 3, Duration::from_secs(5));
    postgres.thaw();
    assert_told_in_time(&frozen, "frozen");
    let took = app.recovered();
    assert!(took < RECOVERY_MAX, "after a freeze: {took:?}");

    let mut intruder = PgConnection::establish(&test.url).expect("a connection");
    intruder.batch_execute("BEGIN; LOCK TABLE submission_raw IN ACCESS EXCLUSIVE MODE").expect("a lock");
    assert_told_in_time(&watch(&app, 4, Duration::from_secs(5)), "locked");
    intruder.batch_execute("ROLLBACK").expect("released");
    let took = app.recovered();
    assert!(took < RECOVERY_MAX, "after a lock: {took:?}");
    app.each_kept_once(&test);
}

#[test]
fn rel_r7_a_sqlite_file_that_an_intruder_has_locked_is_told_in_three_seconds_and_over_in_five() {
    let test = TestDatabase::sqlite();
    let app = TestApp::start(&test);
    app.recovered();
    let file = test.file().expect("a file").display().to_string();
    let mut intruder = SqliteConnection::establish(&file).expect("a connection");
    intruder.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").expect("the writer's lock");
    assert_told_in_time(&watch(&app, 1, Duration::from_secs(4)), "locked");
    intruder.batch_execute("ROLLBACK").expect("released");
    let took = app.recovered();
    assert!(took < RECOVERY_MAX, "after a lock: {took:?}");
    app.each_kept_once(&test);
}

impl TestApp {
    /// No row twice, and each with its receipt, whatever clients were told.
    fn each_kept_once(&self, test: &TestDatabase) {
        let rows = crate::support::row_counts(test);
        assert_eq!((rows["submission_raw"], rows["submission_raw"]), (rows["interview"], rows["receipt"]), "{rows:?}");
    }
}

/// A tablet with its queue: full jitter between tries, never sooner than it was told.
struct Tablet<'a> {
    address: SocketAddr,
    secret: &'a str,
    number: u32,
    is_patient: bool,
}

/// What the tablets did in all.
#[derive(Default)]
struct Tally {
    tries: AtomicUsize,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
    later: AtomicUsize,
}

impl Tablet<'_> {
    fn drain(&self, records: usize, tally: &Tally) -> Vec<Sent> {
        let record = |number| (id(0xaaa, self.number, number), format!("{{\"n\":{number}}}"));
        let send = |(id, body): (String, String)| {
            let mut tries = 0;
            loop {
                tries += 1;
                match self.try_once(&id, &body, tally) {
                    Told::Receipt(_, receipt) => return Sent { id, body, receipt: Some(receipt) },
                    Told::Later(..) if !self.is_patient => {}
                    // A second of the field is a tenth of a second here.
                    Told::Later(_, seconds) => thread::sleep(Duration::from_millis(100 * seconds)),
                    Told::Nothing if !self.is_patient => thread::sleep(Duration::from_millis(5)),
                    Told::Nothing => thread::sleep(self.back_off(tries)),
                }
            }
        };
        (0..records).map(record).map(send).collect()
    }

    fn try_once(&self, id: &str, body: &str, tally: &Tally) -> Told {
        tally.tries.fetch_add(1, Ordering::Relaxed);
        let now = tally.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        tally.in_flight_max.fetch_max(now, Ordering::Relaxed);
        let told = put(self.address, self.secret, id, body);
        tally.in_flight.fetch_sub(1, Ordering::Relaxed);
        if matches!(told, Told::Later(..)) {
            tally.later.fetch_add(1, Ordering::Relaxed);
        }
        told
    }

    fn back_off(&self, tries: u64) -> Duration {
        let spread = (u64::from(self.number) * 7919 + tries * 104_729) % 100;
        Duration::from_millis(spread * tries.min(5) * 2 + 20)
    }
}

/// Tablets find the server down, then up with its database locked, then free; what they were told and how often they came.
fn evening_peak(test: &TestDatabase, is_patient: bool) -> (Vec<Sent>, Tally) {
    const TABLETS: u32 = 120;
    let secret = token(test, "surveyor");
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("an address");
    let tally = Tally::default();
    let journal = thread::scope(|scope| {
        let tablets: Vec<_> = (0..TABLETS)
            .map(|number| {
                let tablet = Tablet { address, secret: &secret, number, is_patient };
                let tally = &tally;
                scope.spawn(move || tablet.drain(4, tally))
            })
            .collect();
        thread::sleep(Duration::from_millis(700));
        let file = test.file().expect("a file").display().to_string();
        let mut intruder = SqliteConnection::establish(&file).expect("a connection");
        let server = Program::start_at(test, &address.to_string(), &[]);
        intruder.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").expect("the writer's lock");
        thread::sleep(Duration::from_millis(2500));
        intruder.batch_execute("ROLLBACK").expect("released");
        let sent = tablets.into_iter().flat_map(|tablet| tablet.join().expect("a tablet")).collect();
        drop(server);
        sent
    });
    (journal, tally)
}

#[test]
fn acc021_after_an_outage_every_tablet_drains_without_a_storm_of_retries() {
    let test = TestDatabase::sqlite();
    let begun = now();
    let (journal, tally) = evening_peak(&test, true);
    let took = begun.elapsed();
    assert_eq!((journal.len(), compare(&test, &journal)), (480, Findings::default()));
    let [tries, later, together] =
        [&tally.tries, &tally.later, &tally.in_flight_max].map(|count| count.load(Ordering::Relaxed));
    assert!(later > 0, "some were told to come later");
    assert!(together <= 120, "a tablet sends one at a time: {together}");
    assert!(tries < 480 + 120 * 45, "{tries} tries in {took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    // The control: tablets that come again at once make a storm of the same records.
    let test = TestDatabase::sqlite();
    let (journal, impatient) = evening_peak(&test, false);
    assert_eq!((journal.len(), compare(&test, &journal)), (480, Findings::default()), "and lose nothing either");
    let storm = impatient.tries.load(Ordering::Relaxed);
    assert!(storm > 2 * tries, "{storm} against {tries}");
}

#[test]
fn rel_c3_a_duplicate_of_what_is_in_flight_waits_for_it_and_gets_its_receipt() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.recovered();
        let lock = Lock::take(test);
        let answers: Vec<Told> = thread::scope(|scope| {
            let both: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| put(app.address, app.secret(Role::Surveyor), &id(1, 1, 1), "{}")))
                .collect();
            thread::sleep(Duration::from_millis(400));
            assert!(both.iter().all(|one| !one.is_finished()), "the control: both are in flight");
            lock.release();
            both.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        let [Told::Receipt(one, first), Told::Receipt(other, second)] = &answers[..] else { panic!("{answers:?}") };
        let mut statuses = [*one, *other];
        statuses.sort_unstable();
        assert_eq!((statuses, first), ([200, 202], second));
    });
}

/// An intruder's hold on the writer.
pub enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    pub fn take(test: &TestDatabase) -> Self {
        match test.file() {
            Some(file) => {
                let mut intruder = SqliteConnection::establish(&file.display().to_string()).expect("a connection");
                intruder.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").expect("the writer's lock");
                Self::Sqlite(intruder)
            }
            None => {
                let mut intruder = PgConnection::establish(&test.url).expect("a connection");
                let lock = "BEGIN; LOCK TABLE submission_raw IN ACCESS EXCLUSIVE MODE";
                intruder.batch_execute(lock).expect("the lock");
                Self::Postgres(intruder)
            }
        }
    }

    pub fn release(self) {
        match self {
            Self::Sqlite(mut intruder) => intruder.batch_execute("ROLLBACK"),
            Self::Postgres(mut intruder) => intruder.batch_execute("ROLLBACK"),
        }
        .expect("released");
    }
}
