import { expect, test } from 'vitest';
import { createGuard } from '../../src/delivery/guard.ts';
import { METADATA } from '../../src/domain/addresses.ts';
import { OTHER_PROTOCOLS } from '../../src/domain/egress.ts';
import { page } from './page.ts';

const section = /^## Where receivers may be\n([\s\S]*?)^## /m.exec(page('configuration.md'))?.[1] ?? '';
const rows = [...section.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, reason = '', what = '']) => ({
  reason,
  what,
}));
const guard = createGuard({ allow: [] });
const judged = (address: string) =>
  guard.judge(new URL(`http://${address.includes(':') ? `[${address}]` : address}/`))?.reason;

test('every range and address that docs/configuration.md says is refused is, for the reason that it says', () => {
  const said = rows.flatMap(({ reason, what }) =>
    [...what.matchAll(/`?((?:\d+\.){3}\d+|[\da-f]*:[\da-f]*:[\da-f:]*)(?:\/\d+)?`?/g)].map(([, address = '']) => ({
      address,
      reason,
    })),
  );
  expect(said.length).toBeGreaterThan(35);
  const refused = said.filter(({ address }) => !['2001::', '2000::'].includes(address));
  for (const { address, reason } of refused) expect(judged(address), address).toBe(reason);
});

test('docs/configuration.md names every metadata address and every port that is denied', () => {
  const metadata = rows.find(({ reason }) => reason === 'metadata')?.what ?? '';
  expect(metadata.match(/(?:\d+\.){3}\d+|[\da-f]+:[\da-f:]+/g)).toHaveLength(METADATA.length);
  const ports = OTHER_PROTOCOLS.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  expect(/<!-- ports -->(.*)<!-- \/ports -->/.exec(section)?.[1]).toBe(ports.join(', '));
});
