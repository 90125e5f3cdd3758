//! Clients that send and remember what they were told, a server as a process that can be killed, and the comparison of the
//! two memories afterwards.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use scilit::evidence::sha256_hex;

use super::{TestDatabase, http::parse, row_counts, run};

#[expect(clippy::disallowed_methods, reason = "a test measures how long a server takes")]
pub fn now() -> Instant {
    Instant::now()
}

/// The program as a process; it dies with its owner.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token for clients, made by the program itself.
pub fn token(test: &TestDatabase, role: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    run(command.args(["token", "create", "--role", role, "--label", "t", "--database-url", &test.url]))
        .trim()
        .to_owned()
}

impl Program {
    pub fn start(test: &TestDatabase) -> Self {
        Self::start_at(test, "127.0.0.1:0", &[])
    }

    pub fn start_at(test: &TestDatabase, listen: &str, environment: &[(&str, &str)]) -> Self {
        Self::try_start_at(test, listen, environment).unwrap_or_else(|code| panic!("the server ended with {code:?}"))
    }

    /// Starts it; its exit code when it ends before it listens.
    pub fn try_start_at(test: &TestDatabase, listen: &str, environment: &[(&str, &str)]) -> Result<Self, Option<i32>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
        command.args(["serve", "--listen", listen, "--database-url", &test.url, "--log", "off"]);
        // One token plays many tablets.
        command.args(["--uploads-per-minute", "0", "--requests-per-minute", "0", "--disk-free-percent-min", "0"]);
        command.arg("--key-dir").arg(test.key_dir()).envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the server runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        match lines.find_map(|line| address_in(&line.expect("a line"))) {
            Some(address) => Ok(Self { child, address }),
            None => Err(child.wait().expect("an end").code()),
        }
    }

    /// The most memory that it ever had, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its state");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// SIGKILL: no chance to put anything right.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("an end");
    }

    /// SIGTERM; how it ended and how long that took.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        let begun = now();
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        (self.child.wait().expect("an end"), begun.elapsed())
    }

    /// Its exit code if it has ended by itself.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("its state").map(|status| status.code())
    }

    /// Waits until it ends by itself; its exit code.
    pub fn end(&mut self) -> Option<i32> {
        self.child.wait().expect("an end").code()
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("http://")?;
    address.trim().trim_end_matches('/').parse().ok()
}

/// What a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Kept: the status and the receipt, byte for byte.
    Receipt(u16, String),
    /// Not now: the status and the seconds to wait.
    Later(u16, u64),
    /// No whole answer came.
    Nothing,
}

/// One submission as its client remembers it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub id: String,
    pub body: String,
    pub receipt: Option<String>,
}

pub fn request(address: SocketAddr, secret: &str, id: &str, body: &str) -> String {
    let digest = sha256_hex(body.as_bytes());
    format!(
        "PUT /api/v1/submissions/{id}/revs/1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\
         Content-Type: application/json\r\nSubmission-Sha256: {digest}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends once.
pub fn put(address: SocketAddr, secret: &str, id: &str, body: &str) -> Told {
    exchange(address, &request(address, secret, id, body)).unwrap_or(Told::Nothing)
}

fn exchange(address: SocketAddr, request: &str) -> Option<Told> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    stream.write_all(request.as_bytes()).ok()?;
    told(stream)
}

/// Reads the answer to the end of the connection.
pub fn told(mut stream: TcpStream) -> Option<Told> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    if !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        return None;
    }
    let answer = parse(&bytes);
    if answer.header("content-length") != Some(answer.body.len().to_string().as_str()) {
        return None;
    }
    let text = answer.text();
    if matches!(answer.status, 503 | 507) {
        let wait = answer.header("retry-after").and_then(|wait| wait.parse().ok());
        return Some(Told::Later(answer.status, wait.expect("seconds to wait")));
    }
    assert!(matches!(answer.status, 200..=202), "{text}");
    let (receipt, _) = text.strip_prefix("{\"receipt\":")?.split_once(",\"state\":")?;
    Some(Told::Receipt(answer.status, receipt.to_owned()))
}

pub fn id(wave: u32, client: u32, number: usize) -> String {
    format!("019abcde-{wave:04x}-7000-8{client:03x}-{number:012x}")
}

fn body(id: &str, number: usize) -> String {
    format!("{{\"id\":\"{id}\",\"note\":\"{}\"}}", "字".repeat(300 * (number % 8)))
}

/// So many clients send one submission after another until told to stop or left without an answer; what they remember.
pub fn storm(address: SocketAddr, secret: &str, (wave, clients): (u32, u32), stop: &AtomicBool) -> Vec<Sent> {
    let client = |client: u32| {
        let mut journal = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let id = id(wave, client, journal.len());
            let body = body(&id, journal.len());
            let told = put(address, secret, &id, &body);
            let is_over = told == Told::Nothing;
            let receipt = if let Told::Receipt(_, receipt) = told { Some(receipt) } else { None };
            journal.push(Sent { id, body, receipt });
            if is_over {
                break;
            }
        }
        journal
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..clients)
            .map(|number| {
                scope.spawn({
                    let client = &client;
                    move || client(number)
                })
            })
            .collect();
        all.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    })
}

/// A storm in the background while something happens to the server; what the clients remember.
pub fn storm_while(address: SocketAddr, secret: &str, names: (u32, u32), happens: impl FnOnce()) -> Vec<Sent> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let storm = scope.spawn(|| storm(address, secret, names, &stop));
        happens();
        stop.store(true, Ordering::Relaxed);
        storm.join().expect("the storm")
    })
}

/// Sends again what was not acknowledged, as tablets do; everything must be taken now.
pub fn send_again(address: SocketAddr, secret: &str, journal: &mut [Sent]) {
    for sent in journal.iter_mut().filter(|sent| sent.receipt.is_none()) {
        let told = put(address, secret, &sent.id, &sent.body);
        let Told::Receipt(_, receipt) = told else { panic!("{} was not taken: {told:?}", sent.id) };
        sent.receipt = Some(receipt);
    }
}

/// The comparison of database and journals.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub lost: usize,
    pub doubled: usize,
    pub altered: usize,
    pub ghosts: usize,
}

/// Compares what clients remember with what the database holds, which must hold nothing else.
pub fn compare(test: &TestDatabase, journal: &[Sent]) -> Findings {
    let database = test.open();
    let sent: BTreeMap<&str, &Sent> = journal.iter().map(|sent| (sent.id.as_str(), sent)).collect();
    let ids: Vec<&str> = sent.keys().copied().collect();
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    let mut altered = 0;
    for ids in ids.chunks(500) {
        for row in database.kept_under(ids).expect("rows") {
            let sent = sent[row.id.as_str()];
            let same = row.sha256 == sha256_hex(sent.body.as_bytes())
                && sent.receipt.as_ref().is_none_or(|receipt| *receipt == row.receipt);
            altered += usize::from(!same);
            *rows.entry(row.id).or_default() += 1;
        }
    }
    let counts = row_counts(test);
    assert_eq!(counts["submission_raw"], counts["receipt"], "each row has its receipt");
    let known: usize = rows.values().sum();
    Findings {
        lost: journal.iter().filter(|sent| sent.receipt.is_some() && !rows.contains_key(&sent.id)).count(),
        doubled: known - rows.len(),
        altered,
        ghosts: usize::try_from(counts["submission_raw"]).expect("a count") - known,
    }
}

pub fn acknowledged(journal: &[Sent]) -> usize {
    journal.iter().filter(|sent| sent.receipt.is_some()).count()
}
