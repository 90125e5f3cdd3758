// A PostgreSQL server of this process's own: a new cluster in a temporary folder, reached by a Unix socket, ended and removed by a
// watcher when this process is gone, however it went. `tests/support/postgres.rs` does the same for the Rust tests.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const PACKAGED = '/usr/lib/postgresql';
let server = null;
let databases = 0;

const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The folder with `initdb` and `pg_ctl`: the newest packaged version, or wherever PATH has them; null where there is none. */
export function programs() {
  const packaged = existsSync(PACKAGED) ? readdirSync(PACKAGED).sort((a, b) => Number(b) - Number(a)).map((version) => join(PACKAGED, version, 'bin')) : [];
  const folders = [...packaged, ...(process.env.PATH ?? '').split(delimiter)];
  return folders.find((folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'pg_ctl'))) ?? null;
}

/** `initdb` refuses to run as root: then everything runs as somebody else. */
function otherUser() {
  if (process.getuid() !== 0) return null;
  return readFileSync('/etc/passwd', 'utf8').split('\n').some((line) => line.startsWith('postgres:')) ? 'postgres' : 'nobody';
}

function run(program, args, user = null) {
  const [name, all] = user ? ['runuser', ['-u', user, '--', program, ...args]] : [program, args];
  // pg_ctl's child inherits its output: no pipe that would never end.
  const { status, stderr, error } = spawnSync(name, all, { cwd: '/', env: { ...process.env, LC_ALL: 'C.UTF-8' }, stdio: ['ignore', 'ignore', user ? 'ignore' : 'pipe'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr ?? status}`);
}

function start() {
  const bin = programs();
  if (!bin) throw new Error('this machine has no PostgreSQL: install it, or run these tests on SQLite');
  const user = otherUser();
  // The path of a Unix socket may have 107 bytes, so the folder stands near the root.
  const folder = mkdtempSync('/tmp/scilit-pg-');
  const data = join(folder, 'data');
  chmodSync(folder, 0o755);
  if (user) run('chown', [user, folder]);
  run(join(bin, 'initdb'), ['-D', data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C'], user);
  const options = `-c listen_addresses='' -c unix_socket_directories='${folder}'`;
  run(join(bin, 'pg_ctl'), ['-D', data, '-l', join(folder, 'log'), '-w', '-t', '60', '-o', options, 'start'], user);
  watch(folder, data);
  return { bin, folder };
}

/** Reads the end of its standard input when this process ends, then ends the server by the number the server wrote down. */
function watch(folder, data) {
  const file = join(data, 'postmaster.pid');
  // Its command line names the folder, so that no other process that has its number by then is taken for it.
  const script = `cat >/dev/null; pid=$(head -n 1 '${file}' 2>/dev/null); if [ -n "$pid" ] && grep -q '${folder}' /proc/$pid/cmdline 2>/dev/null; then kill -INT $pid; for i in $(seq 100); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done; fi; rm -rf '${folder}'`;
  const watcher = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // It must not keep this process from ending.
  watcher.unref();
  watcher.stdin.unref();
}

/** The URL of an empty database. */
export function newDatabase() {
  server ??= start();
  databases += 1;
  const name = `field_${databases}`;
  run(join(server.bin, 'createdb'), ['-h', server.folder, '-U', 'tester', name]);
  return `postgres:///${name}?host=${server.folder}&user=tester`;
}
