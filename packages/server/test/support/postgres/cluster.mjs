// A PostgreSQL server of its own, for as long as the process that started it lives.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { findBinaries } from './binaries.mjs';
import { environment, prepareData, SUPERUSER } from './data-directory.mjs';
import { makeDirectoryFor, serverUser } from './server-user.mjs';

const KEEPER = fileURLToPath(new URL('./keeper.mjs', import.meta.url));
const SIGNAL_OF_MODE = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' };
const START_TIMEOUT_MS = 60_000;

export async function startPostgres(options = {}) {
  const user = serverUser();
  const directory = makeDirectoryFor(user);
  const keeper = startKeeper(directory);
  try {
    const programs = findBinaries(directory, user);
    const data = prepareData(directory, user, programs.bin, options);
    const server = createServerProcess({ directory, user, ...programs, ...data, port: options.port ?? 0, keeper });
    await server.start();
    const url = `postgres://${SUPERUSER}:${data.password}@127.0.0.1:${server.port()}/postgres`;
    return {
      url,
      ...data,
      ...programs,
      user,
      log: server.log,
      get pid() {
        return server.pid();
      },
      stop: (mode = 'fast') => server.end(SIGNAL_OF_MODE[mode]),
      kill: () => server.end('SIGKILL'),
      async restart(mode = 'fast') {
        await server.end(SIGNAL_OF_MODE[mode]);
        await server.start();
      },
      async remove() {
        await server.end('SIGQUIT');
        await keeper.remove();
      },
    };
  } catch (error) {
    await keeper.remove();
    throw error;
  }
}

export const makeServerDirectory = () => makeDirectoryFor(serverUser());

/** Removes the directory at the latest when this process ends. */
function startKeeper(directory) {
  // Not told of Ctrl-C: it goes by the end of its input.
  const keeper = spawn(process.execPath, [KEEPER, directory], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  const exited = once(keeper, 'exit');
  // It may have been ended first.
  keeper.stdin.on('error', () => {});
  keeper.unref();
  keeper.stdin.unref();
  return {
    runs: (pid) => void keeper.stdin.write(`${pid}\n`),
    async remove() {
      keeper.ref();
      keeper.stdin.end();
      await exited;
    },
  };
}

function createServerProcess({ directory, user, bin, dataDir, password, port: wanted, keeper }) {
  const logFile = join(directory, 'postgres.log');
  const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  let port = wanted;
  let server;
  let exited;
  const isRunning = () => server !== undefined && server.exitCode === null && server.signalCode === null;

  async function start() {
    for (let tries = 1; ; tries += 1) {
      if (port === 0) port = await freePort();
      const before = log().length;
      const output = openSync(logFile, 'a');
      server = spawn(join(bin, 'postgres'), ['-D', dataDir, '-p', String(port)], {
        cwd: directory,
        stdio: ['ignore', output, output],
        detached: true,
        env: environment(),
        ...user,
      });
      closeSync(output);
      server.unref();
      exited = once(server, 'exit');
      keeper.runs(server.pid);
      if (await answers()) return;
      const said = log().slice(before);
      // Somebody else may have taken the port since it was found free; children of one that was killed end by themselves.
      const isTaken = wanted === 0 && said.includes('could not bind') && tries < 3;
      const isEnding = said.includes('is still in use') && tries < 100;
      if (!isTaken && !isEnding) throw new Error(`PostgreSQL did not start (${bin}):\n${said.slice(-2000)}`);
      if (isTaken) port = 0;
      else await delay(50);
    }
  }

  /** False when it ended instead. */
  async function answers() {
    for (let waited = 0; waited < START_TIMEOUT_MS && isRunning(); waited += 20) {
      const client = new pg.Client({ host: '127.0.0.1', port, user: SUPERUSER, password, database: 'postgres' });
      client.on('error', () => {});
      try {
        await client.connect();
        return true;
      } catch {
        await delay(20);
      } finally {
        await client.end().catch(() => {});
      }
    }
    return false;
  }

  async function end(signal) {
    if (isRunning()) {
      server.ref();
      process.kill(server.pid, signal);
      await exited;
    }
    keeper.runs(0);
  }

  return { start, end, log, port: () => port, pid: () => (isRunning() ? server.pid : undefined) };
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}
