import { isIPv6, Socket, type TcpNetConnectOpts } from 'node:net';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { attempt } from '../../src/delivery/attempt.ts';
import { createConnections } from '../../src/delivery/connections.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import type { EgressReason, PortRange } from '../../src/domain/egress.ts';

/** What sockets were told to connect to, each address of it. Nothing leaves this machine: every one is refused. */
const connected: string[] = [];

vi.mock('node:net', async (original) => ({
  ...(await original<typeof import('node:net')>()),
  connect(options: TcpNetConnectOpts) {
    const socket = new Socket();
    const refuse = () => socket.destroy(Object.assign(new Error('Refused'), { code: 'ECONNREFUSED' }));
    if (isLiteral(options.host ?? '')) {
      connected.push(options.host ?? '');
      setImmediate(refuse);
    } else {
      options.lookup?.(options.host ?? '', { all: true }, (_error, found) => {
        for (const { address } of Array.isArray(found) ? found : []) connected.push(address);
        setImmediate(refuse);
      });
    }
    return socket;
  },
}));

const isLiteral = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');

interface Surroundings {
  readonly allow?: readonly string[];
  readonly ports?: readonly PortRange[];
  /** What every name resolves to. */
  readonly answers?: readonly string[];
}

/** One attempt through everything that connects. */
async function run(url: string, { allow = [], ports, answers = [] }: Surroundings = {}): Promise<Outcome> {
  const guard = createGuard({
    allow,
    ...(ports && { ports }),
    resolve: async () => answers.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
  });
  const connections = createConnections(guard, DEFAULT_POLICY);
  try {
    const post = { url: new URL(url), headers: {}, body: '{}' };
    return (await attempt(post, connections, DEFAULT_POLICY, new AbortController().signal)).outcome;
  } finally {
    await connections.close();
  }
}

const literal = (address: string): string => `http://${address.includes(':') ? `[${address}]` : address}/hook`;
const ALLOWED = 'allowed';
type Verdict = EgressReason | typeof ALLOWED;

async function expectVerdict(url: string, verdict: Verdict, surroundings: Surroundings, addresses?: readonly string[]) {
  const outcome = await run(url, surroundings);
  if (verdict === ALLOWED) {
    expect(outcome).toMatchObject({ kind: 'unreachable', reason: 'connect' });
    expect(connected).toEqual(addresses ?? [expect.anything()]);
  } else {
    expect(outcome).toMatchObject({ kind: 'forbidden', reason: verdict });
    expect(connected).toEqual([]);
  }
}

beforeEach(() => {
  connected.length = 0;
});

/** As URLs and resolvers write them. */
const ADDRESSES: readonly (readonly [address: string, verdict: Verdict])[] = [
  // IPv4
  ['8.8.8.8', ALLOWED],
  ['1.0.0.1', ALLOWED],
  ['9.255.255.255', ALLOWED],
  ['11.0.0.0', ALLOWED],
  ['93.184.216.34', ALLOWED],
  ['100.63.255.255', ALLOWED],
  ['100.128.0.1', ALLOWED],
  ['126.255.255.255', ALLOWED],
  ['128.0.0.1', ALLOWED],
  ['169.253.255.255', ALLOWED],
  ['169.255.0.1', ALLOWED],
  ['172.15.255.255', ALLOWED],
  ['172.32.0.1', ALLOWED],
  ['192.0.1.1', ALLOWED],
  ['192.167.255.255', ALLOWED],
  ['192.169.0.1', ALLOWED],
  ['198.17.255.255', ALLOWED],
  ['198.20.0.1', ALLOWED],
  ['223.255.255.254', ALLOWED],
  ['0.0.0.0', 'unspecified'],
  ['0.0.0.1', 'unspecified'],
  ['0.255.255.255', 'unspecified'],
  ['10.0.0.0', 'private'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.0', 'shared'],
  ['100.64.0.1', 'shared'],
  ['100.127.255.255', 'shared'],
  ['127.0.0.0', 'loopback'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.0.0', 'link-local'],
  ['169.254.1.1', 'link-local'],
  ['169.254.255.255', 'link-local'],
  ['172.16.0.0', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.1', 'reserved'],
  ['192.0.0.8', 'reserved'],
  ['192.0.2.1', 'documentation'],
  ['192.31.196.1', 'reserved'],
  ['192.52.193.1', 'reserved'],
  ['192.88.99.1', 'reserved'],
  ['192.168.0.0', 'private'],
  ['192.168.255.255', 'private'],
  ['192.175.48.1', 'reserved'],
  ['198.18.0.1', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.51.100.7', 'documentation'],
  ['203.0.113.9', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.254', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  // Metadata services
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['169.254.170.23', 'metadata'],
  ['169.254.0.23', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['fd00:ec2::23', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fe80::a9fe:a9fe', 'metadata'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['64:ff9b::169.254.169.254', 'metadata'],
  ['64:ff9b:1:a9fe:a9:fe00::', 'metadata'],
  ['64:ff9b:1:a9:fe:a9fe::', 'metadata'],
  ['64:ff9b:1:0:a9:fea9:fe00:0', 'metadata'],
  ['2002:a9fe:a9fe::1', 'metadata'],
  // IPv6
  ['2000::1', ALLOWED],
  ['2606:4700:4700::1111', ALLOWED],
  ['2a00:1450:4001:830::200e', ALLOWED],
  ['2001:200::1', ALLOWED],
  ['2001:4860:4860::8888', ALLOWED],
  ['2001:db7::1', ALLOWED],
  ['2001:db9::1', ALLOWED],
  ['2620:4f:8001::1', ALLOWED],
  ['3ffe::1', ALLOWED],
  ['3fff:1000::1', ALLOWED],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::2', 'reserved'],
  ['::ff', 'reserved'],
  ['100::1', 'discard'],
  ['100:0:0:1::1', 'reserved'],
  ['200::1', 'reserved'],
  ['1fff:ffff::1', 'reserved'],
  ['2001:1::1', 'reserved'],
  ['2001:2::1', 'benchmarking'],
  ['2001:3::1', 'reserved'],
  ['2001:4:112::1', 'reserved'],
  ['2001:10::1', 'reserved'],
  ['2001:20::1', 'reserved'],
  ['2001:1ff:ffff::1', 'reserved'],
  ['2001:db8::1', 'documentation'],
  ['2620:4f:8000::1', 'reserved'],
  ['3fff::1', 'documentation'],
  ['3fff:fff::1', 'documentation'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['fbff::1', 'reserved'],
  ['fc00::1', 'unique-local'],
  ['fd12:3456::1', 'unique-local'],
  ['fe00::1', 'reserved'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['feff::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['ff0e::1', 'multicast'],
  // IPv6 that carries IPv4
  ['::ffff:8.8.8.8', ALLOWED],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:0.0.0.0', 'unspecified'],
  ['::ffff:255.255.255.255', 'broadcast'],
  ['::127.0.0.1', 'loopback'],
  ['::10.0.0.1', 'private'],
  ['::8.8.8.8', 'reserved'],
  ['::ffff:0:127.0.0.1', 'loopback'],
  ['::ffff:0:8.8.8.8', 'reserved'],
  ['64:ff9b::8.8.8.8', ALLOWED],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::a00:1', 'private'],
  ['64:ff9b::192.168.1.1', 'private'],
  ['64:ff9b:0:1::8.8.8.8', 'reserved'],
  ['64:ff9b:1::a00:1', 'private'],
  ['64:ff9b:1::8.8.8.8', 'reserved'],
  ['2002:808:808::1', ALLOWED],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a00:1::1', 'private'],
  ['2002:c0a8:101::1', 'private'],
  // Teredo: the server, and the client with its bits turned
  ['2001:0:808:808:0:0:f7f7:f7f7', ALLOWED],
  ['2001:0:7f00:1:0:0:f7f7:f7f7', 'loopback'],
  ['2001:0:808:808:0:0:80ff:fffe', 'loopback'],
  ['2001:0:808:808:0:0:f5ff:fffe', 'private'],
  ['2001::1', 'unspecified'],
  // ISATAP
  ['2606:4700::5efe:8.8.8.8', ALLOWED],
  ['2606:4700::5efe:10.0.0.1', 'private'],
  ['2606:4700::200:5efe:127.0.0.1', 'loopback'],
  ['fe80::5efe:8.8.8.8', 'link-local'],
];

describe('an address', () => {
  test.each(ADDRESSES)('%s, in the URL, is %s', async (address, verdict) => {
    await expectVerdict(literal(address), verdict, {});
  });

  test.each(ADDRESSES)('%s, as all that a name resolves to, is %s', async (address, verdict) => {
    await expectVerdict('http://receiver.example/hook', verdict, { answers: [address] }, [address]);
  });

  test('the table has every reason that an address can be refused for', () => {
    const reasons = new Set(ADDRESSES.map(([, verdict]) => verdict));
    expect([...reasons].sort()).toEqual(
      [
        ...['allowed', 'benchmarking', 'broadcast', 'discard', 'documentation', 'link-local', 'loopback', 'metadata'],
        ...['multicast', 'private', 'reserved', 'shared', 'site-local', 'unique-local', 'unspecified'],
      ].sort(),
    );
    expect(ADDRESSES.length).toBeGreaterThan(120);
  });
});

const SPELLINGS: readonly (readonly [url: string, verdict: Verdict])[] = [
  ['http://127.1/', 'loopback'],
  ['http://127.0.1/', 'loopback'],
  ['http://2130706433/', 'loopback'],
  ['http://0x7f000001/', 'loopback'],
  ['http://0x7F.1/', 'loopback'],
  ['http://0x7f.0x0.0x0.0x1/', 'loopback'],
  ['http://017700000001/', 'loopback'],
  ['http://0177.0.0.01/', 'loopback'],
  ['http://00000177.0.0.1/', 'loopback'],
  ['http://127.0.0.1./', 'loopback'],
  ['http://%31%32%37.0.0.1/', 'loopback'],
  ['http://①②⑦.⓪.⓪.①/', 'loopback'],
  ['http://127。0。0。1/', 'loopback'],
  ['http://１２７.0.0.1/', 'loopback'],
  ['http://0/', 'unspecified'],
  ['http://0x/', 'unspecified'],
  ['http://0.0/', 'unspecified'],
  ['http://10.1/', 'private'],
  ['http://167772161/', 'private'],
  ['http://0xa9fea9fe/', 'metadata'],
  ['http://2852039166/', 'metadata'],
  ['http://0251.0376.0251.0376/', 'metadata'],
  ['http://134744072/', ALLOWED],
  ['http://0x08080808/', ALLOWED],
  ['http://8.8.8.8./', ALLOWED],
  ['https://8.8.8.8/', ALLOWED],
  ['https://10.0.0.1/', 'private'],
  ['http://[0:0:0:0:0:0:0:1]/', 'loopback'],
  ['http://[0000:0000:0000:0000:0000:0000:0000:0001]/', 'loopback'],
  ['http://[::FFFF:127.0.0.1]/', 'loopback'],
  ['http://[0:0:0:0:0:ffff:7f00:0001]/', 'loopback'],
  ['http://[::ffff:0a00:0001]/', 'private'],
  ['https://[::1]/', 'loopback'],
  ['http://localhost/', 'loopback'],
  ['http://LOCALHOST/', 'loopback'],
  ['http://localhost./', 'loopback'],
  ['http://ｌocalhost/', 'loopback'],
  ['http://%6cocalhost/', 'loopback'],
  ['http://a.localhost/', 'loopback'],
  ['http://a.b.localhost./', 'loopback'],
  ['http://notlocalhost/', ALLOWED],
  ['http://localhost.example/', ALLOWED],
  ['http://metadata.google.internal/', 'metadata'],
  ['http://METADATA.google.internal./', 'metadata'],
  ['http://metadata/', 'metadata'],
  ['http://instance-data/', 'metadata'],
  ['http://metadata.example/', ALLOWED],
  ['http://example.com./', ALLOWED],
  ['http://example.com:80/', ALLOWED],
  ['https://example.com:443/', ALLOWED],
  ['http://example.com:443/', ALLOWED],
  ['http://example.com:8080/', ALLOWED],
  ['http://example.com:1024/', ALLOWED],
  ['http://example.com:65535/', ALLOWED],
  ['http://example.com:0/', 'port'],
  ['http://example.com:1/', 'port'],
  ['http://example.com:22/', 'port'],
  ['http://example.com:25/', 'port'],
  ['http://example.com:53/', 'port'],
  ['http://example.com:110/', 'port'],
  ['http://example.com:143/', 'port'],
  ['https://example.com:465/', 'port'],
  ['https://example.com:587/', 'port'],
  ['http://example.com:1023/', 'port'],
  ['http://example.com:2375/', 'port'],
  ['http://example.com:3306/', 'port'],
  ['http://example.com:5432/', 'port'],
  ['http://example.com:6379/', 'port'],
  ['http://example.com:06379/', 'port'],
  ['http://example.com:11211/', 'port'],
  ['http://8.8.8.8:25/', 'port'],
  ['http://[2606:4700::1]:25/', 'port'],
];

test.each(SPELLINGS)('%s is %s', async (url, verdict) => {
  await expectVerdict(url, verdict, { answers: ['93.184.216.34'] });
});

describe('the allow-list', () => {
  const rows: readonly (readonly [
    allow: readonly string[],
    url: string,
    answers: readonly string[],
    verdict: Verdict,
  ])[] = [
    [['10.0.0.0/8'], 'http://10.2.3.4/', [], ALLOWED],
    [['10.0.0.0/8'], 'http://11.2.3.4/', [], ALLOWED],
    [['10.0.0.0/8'], 'http://192.168.0.1/', [], 'private'],
    [['10.0.0.0/9'], 'http://10.128.0.0/', [], 'private'],
    [['10.1.2.3'], 'http://10.1.2.3/', [], ALLOWED],
    [['10.1.2.3'], 'http://10.1.2.4/', [], 'private'],
    [['10.0.0.0/8'], 'http://[::ffff:10.0.0.1]/', [], ALLOWED],
    [['::ffff:10.0.0.0/104'], 'http://10.0.0.1/', [], ALLOWED],
    [['::ffff:10.0.0.1'], 'http://10.0.0.1/', [], ALLOWED],
    [['10.0.0.0/8'], 'http://[64:ff9b::10.0.0.1]/', [], ALLOWED],
    [['64:ff9b::/96'], 'http://[64:ff9b::10.0.0.1]/', [], 'private'],
    [['64:ff9b:1::/48'], 'http://[64:ff9b:1::8.8.8.8]/', [], ALLOWED],
    [['64:ff9b:1::/48'], 'http://[64:ff9b:1::10.0.0.1]/', [], 'private'],
    [['64:ff9b:1::/48'], 'http://[64:ff9b:1:808:8:800::]/', [], ALLOWED],
    [['64:ff9b:1::/48'], 'http://[64:ff9b:1:0:8:808:800:0]/', [], ALLOWED],
    [['64:ff9b:1::/48'], 'http://[64:ff9b:1:a9fe:a9:fe00::]/', [], 'metadata'],
    [['fd00::/8'], 'http://[fd12::1]/', [], ALLOWED],
    [['fd00::/8'], 'http://[fc00::1]/', [], 'unique-local'],
    [['fd00::/8'], 'http://[fd00:ec2::254]/', [], 'metadata'],
    [['169.254.0.0/16'], 'http://169.254.1.1/', [], ALLOWED],
    [['169.254.0.0/16'], 'http://169.254.169.254/', [], 'metadata'],
    [['169.254.169.254/31'], 'http://169.254.169.254/', [], 'metadata'],
    [['169.254.169.254/32'], 'http://169.254.169.254/', [], ALLOWED],
    [['169.254.169.254'], 'http://169.254.169.254/', [], ALLOWED],
    [['169.254.169.254'], 'http://[::ffff:169.254.169.254]/', [], ALLOWED],
    [['0.0.0.0/0'], 'http://127.0.0.1/', [], ALLOWED],
    [['0.0.0.0/0'], 'http://169.254.169.254/', [], 'metadata'],
    [['0.0.0.0/0'], 'http://[fd00::1]/', [], 'unique-local'],
    [['::/0'], 'http://[fd00::1]/', [], ALLOWED],
    [['::/0'], 'http://127.0.0.1/', [], 'loopback'],
    [['::/0'], 'http://[::ffff:127.0.0.1]/', [], 'loopback'],
    [['::/0', '0.0.0.0/0'], 'http://168.63.129.16/', [], 'metadata'],
    [['127.0.0.0/8'], 'http://localhost/', ['127.0.0.1'], ALLOWED],
    [['::1'], 'http://localhost/', ['::1'], ALLOWED],
    [['127.0.0.0/8'], 'http://localhost/', ['::1'], 'loopback'],
    [['127.0.0.0/8'], 'http://localhost/', ['10.0.0.1'], 'private'],
    [['inside.example'], 'http://inside.example/', ['10.0.0.1'], ALLOWED],
    [['Inside.Example.'], 'http://INSIDE.example./', ['10.0.0.1'], ALLOWED],
    [['inside.example'], 'http://a.inside.example/', ['10.0.0.1'], 'private'],
    [['inside.example'], 'http://inside.example/', ['169.254.169.254'], 'metadata'],
    [['inside.example', '169.254.169.254'], 'http://inside.example/', ['169.254.169.254'], ALLOWED],
    [['inside.example'], 'http://inside.example/', ['64:ff9b::169.254.169.254'], 'metadata'],
    [['inside.example'], 'http://inside.example/', ['fe80::1%eth0'], 'malformed'],
    [['*.inside.example'], 'http://a.inside.example/', ['10.0.0.1'], ALLOWED],
    [['*.inside.example'], 'http://a.b.inside.example/', ['10.0.0.1'], ALLOWED],
    [['*.inside.example'], 'http://inside.example/', ['10.0.0.1'], 'private'],
    [['*.inside.example'], 'http://.inside.example/', ['10.0.0.1'], 'private'],
    [['*.inside.example'], 'http://outinside.example/', ['10.0.0.1'], 'private'],
    [['*.inside.example'], 'http://inside.example.evil.example/', ['10.0.0.1'], 'private'],
    [['localhost'], 'http://localhost/', ['127.0.0.1'], ALLOWED],
    [['metadata.google.internal'], 'http://metadata.google.internal/', ['10.0.0.1'], ALLOWED],
    [['inside.example'], 'http://inside.example:25/', ['10.0.0.1'], 'port'],
  ];

  test.each(rows)('%j and %s at %j: %s', async (allow, url, answers, verdict) => {
    await expectVerdict(url, verdict, { allow, answers });
  });
});

describe('the list of ports', () => {
  const ports = [
    { from: 443, to: 443 },
    { from: 8000, to: 8999 },
    { from: 6379, to: 6379 },
  ];
  test.each<readonly [string, Verdict]>([
    ['https://example.com/', ALLOWED],
    ['http://example.com/', 'port'],
    ['http://example.com:8000/', ALLOWED],
    ['http://example.com:8999/', ALLOWED],
    ['http://example.com:9000/', 'port'],
    ['http://example.com:7999/', 'port'],
    ['http://example.com:6379/', ALLOWED],
  ])('of 443, 8000-8999 and 6379 makes %s %s', async (url, verdict) => {
    await expectVerdict(url, verdict, { ports, answers: ['8.8.8.8'] });
  });
});

describe('a name with several addresses', () => {
  test('is connected to at those that are allowed, and no other', async () => {
    const answers = ['10.0.0.1', '8.8.8.8', '::1', '2606:4700::1', '::ffff:127.0.0.1'];
    await expectVerdict('http://mixed.example/', ALLOWED, { answers }, ['8.8.8.8', '2606:4700::1']);
  });

  test('is refused when none of them is, by the first', async () => {
    const outcome = await run('http://inside.example/', { answers: ['192.168.0.9', '127.0.0.1'] });
    expect(outcome).toEqual({ kind: 'forbidden', address: '192.168.0.9', reason: 'private' });
  });

  test('is unreachable when it has none', async () => {
    expect(await run('http://nowhere.example/')).toMatchObject({ kind: 'unreachable', reason: 'dns' });
    expect(connected).toEqual([]);
  });
});
