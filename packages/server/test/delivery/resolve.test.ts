import type { LookupAddress } from 'node:dns';
import { afterEach, expect, test } from 'vitest';
import { createResolve, type Resolve } from '../../src/delivery/resolve.ts';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';

const started: DnsServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

const V6 = '2606:4700:0:0:0:0:0:1111';
const NAMES: Readonly<Record<string, readonly string[] | 'unknown' | 'failure' | 'silence'>> = {
  'both.example': ['93.184.216.34', V6],
  'four.example': ['93.184.216.34', '93.184.216.35'],
  'six.example': [V6],
  'empty.example': [],
  'broken.example': 'failure',
};

interface Stage {
  readonly resolve: Resolve;
  readonly dns: DnsServer;
  /** Names that the machine's own resolver was asked for. */
  readonly own: readonly string[];
}

async function stage(
  system: (host: string) => Promise<readonly LookupAddress[]> = async () => [{ address: '10.9.9.9', family: 4 }],
): Promise<Stage> {
  const dns = await startDnsServer((name) => NAMES[name] ?? (name.endsWith('.silent.example') ? 'silence' : 'unknown'));
  started.push(dns);
  const own: string[] = [];
  const resolve = createResolve({
    isOwn: (host) => host === 'own.example',
    servers: [dns.address],
    system(host) {
      own.push(host);
      return system(host);
    },
  });
  return { resolve, dns, own };
}

const going = new AbortController().signal;
const addresses = async (found: Promise<readonly LookupAddress[]>) => (await found).map(({ address }) => address);

test('DNS is asked for both families, once, and the machine is not', async () => {
  const { resolve, dns, own } = await stage();
  expect(await resolve('both.example', going)).toEqual([
    { address: '93.184.216.34', family: 4 },
    { address: '2606:4700::1111', family: 6 },
  ]);
  expect(await addresses(resolve('four.example', going))).toEqual(['93.184.216.34', '93.184.216.35']);
  expect(await addresses(resolve('six.example', going))).toEqual(['2606:4700::1111']);
  const families = ['both.example', 'four.example', 'six.example'].flatMap((name) => [name, name]);
  expect(dns.asked).toEqual(families);
  expect(own).toEqual([]);
});

test.each(['own.example', 'localhost', 'localhost.', 'intranet'])(
  "%s is asked of the machine's own resolver only",
  async (host) => {
    const { resolve, dns, own } = await stage();
    expect(await addresses(resolve(host, going))).toEqual(['10.9.9.9']);
    expect(own).toEqual([host]);
    expect(dns.asked).toEqual([]);
  },
);

test.each(['nowhere.example', 'empty.example'])(
  "%s, of which DNS knows no address, is asked of the machine's resolver then",
  async (host) => {
    const { resolve, own } = await stage();
    expect(await addresses(resolve(host, going))).toEqual(['10.9.9.9']);
    expect(own).toEqual([host]);
  },
);

test('a name whose servers fail is not found, and not asked again', async () => {
  const { resolve, own } = await stage();
  await expect(resolve('broken.example', going)).rejects.toMatchObject({ code: 'ESERVFAIL' });
  expect(own).toEqual([]);
});

test('names that are never answered, however many, hold up no other', async () => {
  const { resolve } = await stage();
  const silent = Array.from({ length: 60 }, (_, i) => resolve(`${i}.silent.example`, going));
  let ended = 0;
  for (const one of silent) one.catch(() => (ended += 1));
  expect(await addresses(resolve('four.example', going))).toEqual(['93.184.216.34', '93.184.216.35']);
  expect(ended).toBe(0);
});

test('names that DNS does not know are asked of the machine one at a time, up to a hundred, and while they are wanted', async () => {
  const answers: (() => void)[] = [];
  const { resolve, own } = await stage(
    () => new Promise((answer) => answers.push(() => answer([{ address: '10.9.9.9', family: 4 }]))),
  );
  const unwanted = new AbortController();
  const first = addresses(resolve('first.nowhere', going));
  await until(() => own.length === 1);
  const second = resolve('second.nowhere', unwanted.signal);
  const others = Array.from({ length: 120 }, (_, i) => resolve(`${i}.nowhere`, going));
  const refused = others.map((one) => one.then(() => false).catch(() => true));
  unwanted.abort();
  // Those beyond the hundred that wait are told at once.
  await until(async () => (await settled(refused)).length === 21);
  expect(own).toEqual(['first.nowhere']);
  // The operator's own names do not wait for them.
  void resolve('own.example', going);
  expect(own).toEqual(['first.nowhere', 'own.example']);
  answers[0]?.();
  expect(await first).toEqual(['10.9.9.9']);
  await expect(second).rejects.toMatchObject({ code: 'ENOTFOUND' });
  for (let i = 2; i <= 100; i += 1) {
    await until(() => answers.length === i + 1);
    answers[i]?.();
  }
  expect((await Promise.all(refused)).filter(Boolean)).toHaveLength(21);
  expect(own).not.toContain('second.nowhere');
});

const settled = async (promises: readonly Promise<boolean>[]) => {
  const open = Symbol('open');
  const states = await Promise.all(promises.map((one) => Promise.race([one, Promise.resolve(open)])));
  return states.filter((state) => state !== open);
};

/** Lets the loop turn until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
