//! SIGTERM under load.

use std::{io::Write, net::TcpStream, thread, time::Duration};

use crate::support::{
    on_every_backend,
    storm::{Findings, Program, Told, acknowledged, compare, id, request, send_again, storm_while, token, told},
};

#[test]
fn rel_r9_a_stop_under_load_finishes_what_is_in_flight_and_loses_nothing() {
    on_every_backend(|test| {
        let secret = token(test, "surveyor");
        let server = Program::start(test);
        let address = server.address;
        // One is in the middle of its body when the stop comes.
        let whole = request(address, &secret, &id(9, 9, 9), "{\"note\":\"half of it came before the stop\"}");
        let (first, rest) = whole.split_at(whole.len() - 20);
        let mut slow = TcpStream::connect(address).expect("a connection");
        slow.write_all(first.as_bytes()).expect("sent");
        let mut ended = None;
        let mut finished = None;
        let mut journal = storm_while(address, &secret, (1, 8), || {
            thread::sleep(Duration::from_millis(300));
            thread::scope(|scope| {
                let stopping = scope.spawn(|| server.terminate());
                thread::sleep(Duration::from_millis(500));
                slow.write_all(rest.as_bytes()).expect("sent");
                finished = told(slow);
                ended = Some(stopping.join().expect("an end"));
            });
        });
        let (status, took) = ended.expect("it ended");
        assert!(status.success() && took < Duration::from_secs(11), "{status} after {took:?}");
        assert!(took > Duration::from_millis(400), "the control: it waited for the slow one, {took:?}");
        assert!(matches!(finished, Some(Told::Receipt(202, _))), "{finished:?}");
        let count = acknowledged(&journal);
        assert!(count > 10, "something to lose: {count}");
        let Some(Told::Receipt(_, receipt)) = finished else { unreachable!("checked above") };
        let body = "{\"note\":\"half of it came before the stop\"}".to_owned();
        journal.push(crate::support::storm::Sent { id: id(9, 9, 9), body, receipt: Some(receipt) });
        assert_eq!(compare(test, &journal), Findings::default());
        // Nothing was left half done either: the next start takes the rest, and there is nothing to judge.
        let server = Program::start(test);
        send_again(server.address, &secret, &mut journal);
        assert_eq!(compare(test, &journal), Findings::default());
    });
}
