import { expect, test } from 'vitest';
import { type ConfigError, loadConfig } from '../../src/config.ts';

const load = (env: NodeJS.ProcessEnv, profile: 'dev' | 'production' = 'production') =>
  loadConfig(
    profile,
    {},
    { WATCHBELL_PUBLIC_URL: 'https://bell.example.com', WATCHBELL_SECRET_KEY: '0'.repeat(64), ...env },
  );

function problems(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

test('in production nothing is allowed beside global addresses, and ports are those of no other protocol', () => {
  const config = load({});
  expect(config.egressAllow).toEqual([]);
  expect(config.egressPorts).toBeUndefined();
});

test('the dev profile allows loopback, at every port', () => {
  const config = load({ WATCHBELL_EGRESS_ALLOW: 'a.example' }, 'dev');
  expect(config.egressAllow).toEqual(['a.example', '127.0.0.0/8', '::1/128']);
  expect(config.egressPorts).toEqual([{ from: 1, to: 65_535 }]);
});

test('CIDRs, addresses, host names and domains are taken', () => {
  const list = '10.0.0.0/8, fd00::/8,10.1.2.3,::1, a.example , *.b.example,_srv.c.example,intranet';
  expect(load({ WATCHBELL_EGRESS_ALLOW: list }).egressAllow).toHaveLength(8);
});

test.each([
  '10.0.0.0/33',
  'fd00::/129',
  '10.0.0/8',
  '300.1.1.1',
  '10.1.1',
  'a b',
  'a.*',
  '*',
  '*.',
  'http://a.example',
  'a:80',
])('the entry %j is refused by name', (entry) => {
  expect(problems({ WATCHBELL_EGRESS_ALLOW: entry })).toEqual([
    `WATCHBELL_EGRESS_ALLOW (--egress-allow) holds neither a CIDR nor a host name: ${entry}`,
  ]);
});

test('ports and ranges of ports are taken', () => {
  expect(load({ WATCHBELL_EGRESS_PORTS: '443, 8000-8999,1-1' }).egressPorts).toEqual([
    { from: 443, to: 443 },
    { from: 8000, to: 8999 },
    { from: 1, to: 1 },
  ]);
});

test.each(['0', '65536', '9000-8000', '80-', '-80', 'http', '8_0', '1-2-3'])(
  'the port %j is refused by name',
  (entry) => {
    expect(problems({ WATCHBELL_EGRESS_PORTS: entry })).toEqual([
      `WATCHBELL_EGRESS_PORTS (--egress-ports) holds no port or range of ports: ${entry}`,
    ]);
  },
);
