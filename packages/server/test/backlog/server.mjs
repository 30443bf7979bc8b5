import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { median } from '../volume/figures.mjs';

const BIN = fileURLToPath(new URL('../../bin/watchbell.js', import.meta.url));
/** So that memory is looked at after what is garbage is gone. */
const COLLECTING = ['--expose-gc', '--import', "data:text/javascript,process.on('SIGUSR2', () => globalThis.gc())"];
const SECRET_KEY = '07'.repeat(32);
const SAMPLES = 5;

const common = (dataDir) => [
  ...['--data-dir', dataDir, '--secret-key', SECRET_KEY],
  ...['--public-url', 'http://127.0.0.1', '--log-level', 'error'],
];

/** Makes the store with an organisation; what its first user signs in with. */
export function setUp(dataDir) {
  const who = ['--org', 'Backlog', '--email', 'owner@example.com', '--last-name', 'Owner'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'setup', '--json', ...who, ...common(dataDir)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`setup ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout);
}

/** The production server as a process of its own, on a free port, without limits of requests. `flags` are added. */
export async function startServer(dataDir, flags) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const served = ['serve', '--host', '127.0.0.1', '--port', String(port), '--egress-allow', '127.0.0.0/8'];
  const unlimited = ['--rate-limit', '0', '--max-concurrent-requests', '0'];
  const began = performance.now();
  const args = [...COLLECTING, BIN, ...served, ...unlimited, ...common(dataDir), ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  await Promise.race([
    untilReady(base),
    ended.then(([code]) => Promise.reject(new Error(`the server ended with ${code}:\n${log}`))),
  ]);
  const readyMs = performance.now() - began;
  const pool = new Pool(base, { connections: 64 });

  async function send(method, path, authorization, body) {
    const response = await pool.request({
      method,
      path,
      headers: { authorization },
      ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  return {
    readyMs,
    pid: child.pid,
    /** Calls below `/crm/v8` as the user to whom the credentials belong. */
    async signIn({ client_id, client_secret, refresh_token }) {
      const form = new URLSearchParams({ grant_type: 'refresh_token', client_id, client_secret, refresh_token });
      const { access_token } = await (await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: form })).json();
      return (method, path, body) => send(method, `/crm/v8${path}`, `Zoho-oauthtoken ${access_token}`, body);
    },
    /** Calls below `/_watchbell/v1` with an admin token. */
    administer: (token, method, path, body) => send(method, `/_watchbell/v1${path}`, `Bearer ${token}`, body),
    /** MiB that it holds of the machine's memory, after its garbage was collected. */
    async memory() {
      const seen = [];
      for (let i = 0; i < SAMPLES; i += 1) {
        child.kill('SIGUSR2');
        await delay(500);
        const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${child.pid}/status`, 'utf8')) ?? [];
        seen.push(Number(kib) / 1024);
      }
      return median(seen);
    },
    async stop() {
      await pool.destroy();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function untilReady(base) {
  for (;;) {
    const ready = await fetch(`${base}/readyz`).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.ok) return;
    await delay(5);
  }
}

async function freePort() {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
