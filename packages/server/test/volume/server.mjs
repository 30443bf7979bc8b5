import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';

export const BIN = fileURLToPath(new URL('../../bin/watchbell.js', import.meta.url));
const PER_CALL = 100;

/** The dev server as a process of its own, on a free port, signed in. */
export async function startServer(dataDir, more = []) {
  const flags = ['--port', '0', '--data-dir', dataDir, '--log-level', 'error', ...more];
  const child = spawn(process.execPath, [BIN, 'dev', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const base = await Promise.race([
    printedBase(child.stdout),
    ended.then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ]);
  const credentials = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'));
  const { access_token: token } = await signIn(base, credentials);
  const pool = new Pool(base, { connections: 32 });

  async function call(method, path, body, headers = {}) {
    const response = await pool.request({
      method,
      path: `/crm/v8${path}`,
      headers: { authorization: `Zoho-oauthtoken ${token}`, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  return {
    base,
    pid: child.pid,
    call,
    get: (path) => call('GET', path),
    /** Ids of so many new contacts. */
    async addContacts(count) {
      const ids = [];
      while (ids.length < count) {
        const data = Array.from({ length: Math.min(PER_CALL, count - ids.length) }, (_, i) => ({
          Last_Name: `Added ${ids.length + i}`,
        }));
        const { body } = await call('POST', '/Contacts', { data });
        ids.push(...body.data.map(({ details }) => details.id));
      }
      return ids;
    },
    async stop() {
      await pool.destroy();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function printedBase(stdout) {
  let text = '';
  for await (const chunk of stdout) {
    text += chunk;
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
    // The rest of what it prints is of no interest, but has to be read.
    if (found) {
      stdout.resume();
      return found[0];
    }
  }
  throw new Error('the server said no address');
}

async function signIn(base, credentials) {
  for (;;) {
    const ready = await fetch(`${base}/readyz`).catch(() => undefined);
    if (ready?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const body = new URLSearchParams({ grant_type: 'refresh_token', ...credentials });
  return (await fetch(`${base}/oauth/v2/token`, { method: 'POST', body })).json();
}
