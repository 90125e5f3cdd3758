//! A PostgreSQL server of the test process's own: a new cluster in a temporary folder, reached by a Unix socket.
//!
//! `initdb` refuses to run as root, so as root the folder is given to an unprivileged user and everything runs as that
//! user. A watcher process ends the server by its own process id when the test process is gone, however it went.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use super::{is_program, run};

/// The server.
pub struct Server {
    socket: PathBuf,
    superuser: String,
    programs: PathBuf,
    // Its standard input is a pipe from this process: when this process ends, the watcher reads the end of file.
    _watcher: Child,
}

/// The server of this process, started on first use; `None` when this machine has no PostgreSQL.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| programs().map(start)).as_ref()
}

/// A server of the test's own, which it may stop, freeze or kill; `None` when this machine has no PostgreSQL.
pub fn another() -> Option<Server> {
    let programs = programs();
    assert!(programs.is_some() || std::env::var_os("CI").is_none(), "where CI is set PostgreSQL must be there");
    programs.map(start)
}

/// The folder with `initdb` and `pg_ctl`: the newest packaged version, or wherever `PATH` has them.
fn programs() -> Option<PathBuf> {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = packaged.map(|version| version.path().join("bin")).collect();
    packaged.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = packaged.into_iter().rev().chain(std::env::split_paths(&path));
    folders.find(|folder| is_program(&folder.join("initdb")) && is_program(&folder.join("pg_ctl")))
}

/// The unprivileged user to run as: `None` when this process is unprivileged itself.
fn other_user() -> Option<&'static str> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    let exists = |name: &str| {
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        users.lines().any(|line| line.split(':').next() == Some(name))
    };
    is_root.then(|| if exists("postgres") { "postgres" } else { "nobody" })
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let mut command = match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program);
            command
        }
    };
    command.env("LC_ALL", "C.UTF-8").current_dir("/").stdin(Stdio::null());
    command
}

fn start(programs: PathBuf) -> Server {
    let user = other_user();
    // The path of a Unix socket may have 107 bytes, so the folder stands near the root.
    let folder = tempfile::Builder::new().prefix("scilit-pg-").tempdir_in("/tmp").expect("a folder").keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("permissions");
    if let Some(user) = user {
        run(Command::new("chown").arg(user).arg(&folder));
    }
    let data = folder.join("data");
    let mut initdb = as_user(user, &programs.join("initdb"));
    run(initdb.arg("-D").arg(&data).args(["-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]));
    launch(&programs, &folder);
    let watcher = watch(&folder, &data);
    Server { socket: folder, superuser: "tester".to_owned(), programs, _watcher: watcher }
}

/// Starts the server over the folder's data and waits until it answers.
fn launch(programs: &Path, folder: &Path) {
    let options =
        format!("-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=300", folder.display());
    let mut pg_ctl = as_user(other_user(), &programs.join("pg_ctl"));
    // pg_ctl's child inherits its output: a file, not a pipe that would never end.
    let log = folder.join("log");
    let data = folder.join("data");
    let started = pg_ctl.arg("-D").arg(&data).arg("-l").arg(&log).args(["-W", "-o", &options, "start"]);
    let status = started.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("pg_ctl");
    // pg_ctl's own waiting reads a file that a server which was killed leaves behind; the server itself is asked instead.
    let answers = (0..600).any(|_| {
        let mut ask = Command::new(programs.join("pg_isready"));
        let ready = ask.arg("-q").arg("-h").arg(folder).status().is_ok_and(|status| status.success());
        if !ready {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        ready
    });
    assert!(status.success() && answers, "PostgreSQL did not start: {}", fs::read_to_string(&log).unwrap_or_default());
}

/// The process with this id and its children, by the system's own list.
fn family(parent: u32) -> Vec<u32> {
    let children = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, after) = stat.rsplit_once(") ")?;
        (after.split(' ').nth(1)?.parse() == Ok(parent)).then_some(id)
    });
    [parent].into_iter().chain(children).collect()
}

/// Waits for the end of this process, then ends the server by the process id it wrote down and removes its folder.
fn watch(folder: &Path, data: &Path) -> Child {
    // Read at the end: a test may have started the server anew. Its command line names the folder, so that no other
    // process that has its number by then is taken for it.
    let script = format!(
        "cat >/dev/null; pid=$(head -n 1 '{0}' 2>/dev/null); \
         if [ -n \"$pid\" ] && grep -q '{1}' /proc/$pid/cmdline 2>/dev/null; then kill -CONT $pid; kill -INT $pid; \
         for i in $(seq 100); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done; fi; rm -rf '{1}'",
        data.join("postmaster.pid").display(),
        folder.display()
    );
    let mut shell = Command::new("setsid");
    let shell = shell.args(["sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().expect("a watcher")
}

fn is_zombie(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, after)| after.starts_with('Z'))
}

impl Server {
    /// Makes an empty database and returns its URL.
    pub fn create_database(&self, name: &str) -> String {
        let folder = self.socket.display().to_string();
        run(Command::new(self.programs.join("createdb")).args(["-h", &folder, "-U", &self.superuser, name]));
        format!("postgres:///{name}?host={folder}&user={}", self.superuser)
    }

    fn signal(&self, signal: &str) {
        let file = self.socket.join("data").join("postmaster.pid");
        let text = fs::read_to_string(file).expect("the server's process id");
        let pid: u32 = text.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process id");
        for id in family(pid) {
            // One that ended in between is gone as it should be.
            let _ = Command::new("kill").args([signal, &id.to_string()]).stderr(Stdio::null()).status();
        }
    }

    /// SIGKILL to every process of it, then a wait until they are gone.
    pub fn kill(&self) {
        let file = self.socket.join("data").join("postmaster.pid");
        let text = fs::read_to_string(&file).expect("the server's process id");
        let pid: u32 = text.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process id");
        let all = family(pid);
        self.signal("-KILL");
        while all.iter().any(|id| Path::new(&format!("/proc/{id}/exe")).exists() && !is_zombie(*id)) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // Until somebody reaps the dead server its process id is taken, and the next one would refuse the folder and
        // the socket. That it is dead was just seen.
        let _ = fs::remove_file(file);
        let _ = fs::remove_file(self.socket.join(".s.PGSQL.5432.lock"));
    }

    /// Every process of it stands still.
    pub fn freeze(&self) {
        self.signal("-STOP");
        // Now that their parent stands still: those that it began while the others were looked up.
        self.signal("-STOP");
    }

    /// Every process of it goes on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Stops it at once; connections break.
    pub fn stop(&self) {
        let mut pg_ctl = as_user(other_user(), &self.programs.join("pg_ctl"));
        let data = self.socket.join("data");
        run(pg_ctl.arg("-D").arg(&data).args(["-w", "-m", "immediate", "stop"]));
    }

    /// Starts it again over what is on the disk.
    pub fn start_again(&self) {
        launch(&self.programs, &self.socket);
    }

    /// Runs SQL against one of its databases.
    pub fn sql(&self, url: &str, sql: &str) -> String {
        run(Command::new(self.programs.join("psql")).args(["-At", "-v", "ON_ERROR_STOP=1", "-c", sql, url]))
    }
}
