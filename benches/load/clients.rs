//! The clients: one connection each, kept open, as behind a proxy.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use scilit::evidence::sha256_hex;

use crate::site::{CASES, Site};

/// How much, for how long.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub time: Duration,
}

/// What the clients of one loop remember.
#[derive(Default)]
pub struct Journal {
    /// Id and digest of each acknowledged submission.
    pub acknowledged: Vec<(String, String)>,
    pub times: Vec<Duration>,
    pub took: Duration,
}

/// No number comes twice in a process, so every submission is new; the database is new with each run.
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub fn id(number: usize) -> String {
    format!("019abcde-0000-7000-8000-{number:012x}")
}

#[expect(clippy::disallowed_methods, reason = "measuring is what a load generator is for")]
fn now() -> Instant {
    Instant::now()
}

/// Each client sends the next as soon as the last is answered.
pub fn closed(site: &Site, load: Load) -> Journal {
    let end = now() + load.time;
    all(site, load, |client| {
        while now() < end {
            client.send_next(now());
        }
    })
}

/// Submissions are due at a fixed rate; a time counts from when it was due, so that a stall is seen by all it delays.
pub fn open(site: &Site, load: Load, rate: f64) -> Journal {
    let (begin, turn) = (now(), AtomicUsize::new(0));
    let count = (rate * load.time.as_secs_f64()) as usize;
    all(site, load, |client| {
        loop {
            let number = turn.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let due = begin + Duration::from_secs_f64(number as f64 / rate);
            thread::sleep(due.saturating_duration_since(now()));
            client.send_next(due);
        }
    })
}

fn all(site: &Site, load: Load, work: impl Fn(&mut Client<'_>) + Sync) -> Journal {
    let begin = now();
    let mut journal = thread::scope(|scope| {
        let one = || {
            let mut client = Client::new(site);
            work(&mut client);
            client.journal
        };
        let clients: Vec<_> = (0..load.connections).map(|_| scope.spawn(one)).collect();
        let mut all = Journal::default();
        for client in clients {
            let Journal { acknowledged, times, .. } = client.join().expect("a client");
            all.acknowledged.extend(acknowledged);
            all.times.extend(times);
        }
        all
    });
    journal.took = begin.elapsed();
    journal
}

struct Client<'a> {
    site: &'a Site,
    stream: TcpStream,
    journal: Journal,
    buffer: Vec<u8>,
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    stream
}

impl<'a> Client<'a> {
    fn new(site: &'a Site) -> Self {
        Self { site, stream: connect(site.address), journal: Journal::default(), buffer: Vec::new() }
    }

    fn send_next(&mut self, since: Instant) {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = id(number);
        let body = self.site.body(&id, &format!("c{}", number % CASES));
        let digest = sha256_hex(body.as_bytes());
        let head = format!(
            "PUT /api/v1/submissions/{id}/revs/1 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nSubmission-Sha256: {digest}\r\nContent-Length: {}\r\n\r\n",
            self.site.address,
            self.site.secret,
            body.len()
        );
        loop {
            self.stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).expect("sent");
            match self.status() {
                201 => break,
                503 => thread::sleep(Duration::from_millis(200)),
                other => panic!("{other}: {}", String::from_utf8_lossy(&self.buffer)),
            }
        }
        self.journal.times.push(since.elapsed());
        self.journal.acknowledged.push((id, digest));
    }

    /// Reads one whole answer.
    fn status(&mut self) -> u16 {
        self.buffer.clear();
        let mut part = [0; 8192];
        loop {
            let count = self.stream.read(&mut part).expect("an answer");
            assert!(count > 0, "the server closed: {}", String::from_utf8_lossy(&self.buffer));
            self.buffer.extend(&part[..count]);
            let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|length| length.trim().parse().ok()).expect("a length");
            if self.buffer.len() >= end + 4 + length {
                return head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            }
        }
    }
}
