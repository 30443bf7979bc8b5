import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { curlOf } from '../../src/domain/wire/curl.ts';
import { startReceiver } from '../support/receiver.ts';

const run = promisify(execFile);

test.each([
  ['quotes of both kinds', `{"a":"it's \\"so\\" ''"}`],
  ['what a shell replaces', '{"a":"$HOME `id` $(id) !! ~ * \\\\n %s %d"}'],
  ['lines', '{"a":"x",\n"b":1}\n'],
  ['other scripts', '{"a":"€ 漢字 \u{1F514}"}'],
  ['more than a system takes as one argument', JSON.stringify({ a: 'x'.repeat(300_000) })],
])('a command line sends %s as they are', async (_, body) => {
  const receiver = await startReceiver();
  const command = curlOf(`${receiver.origin}/a b/[x]{y}?q=it's&r=$HOME#part`, { 'x-name': `it's "v"` }, body);
  // A long command comes on the standard input, as when it is pasted.
  for (const shell of ['bash', 'sh']) {
    const running = run(shell, []);
    running.child.stdin?.end(command);
    await running;
    const got = receiver.received.at(-1);
    expect(got?.text === body).toBe(true);
    expect(got?.target).toBe('/a%20b/[x]%7By%7D?q=it%27s&r=$HOME');
    expect(got?.headers['x-name']).toBe(`it's "v"`);
  }
  await receiver.close();
});

test('what stands before the host of a URL is not sent, as in attempts', () => {
  expect(curlOf('https://user:secret@example.com/hook', {}, '{}')).toContain(" 'https://example.com/hook'");
});
