import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { type Address, embedded, isWithin, specialKind } from '../../src/domain/addresses.ts';
import { type EgressRules, refuseAddress } from '../../src/domain/egress.ts';

const NO_RULES: EgressRules = { ranges: [], hosts: [], ports: undefined };
const byte = fc.nat(255);
/** Near the edges of ranges, too. */
const someByte = fc.oneof(byte, fc.constantFrom(0, 1, 127, 128, 254, 255));
const ipv4 = fc
  .tuple(fc.oneof(byte, fc.constantFrom(10, 100, 127, 169, 172, 192, 198, 203, 224)), someByte, someByte, someByte)
  .map((bytes): Address => bytes);
const PREFIXES: readonly (readonly number[])[] = [
  [],
  [0x20],
  [0x20, 0x01],
  [0x20, 0x01, 0],
  [0x20, 0x01, 0x0d, 0xb8],
  [0x20, 0x02],
  [0x26, 0x20, 0, 0x4f, 0x80, 0],
  [0x3f, 0xff],
  [0xfc],
  [0xfe],
  [0xff],
  [0, 0x64, 0xff, 0x9b],
  [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
];
const ipv6 = fc
  .tuple(fc.constantFrom(...PREFIXES), fc.array(someByte, { minLength: 16, maxLength: 16 }))
  .map(([prefix, rest]): Address => [...prefix, ...rest].slice(0, 16));
const known = (address: Address) => ipaddr.fromByteArray([...address]);

test('an IPv4 address is special exactly when another list of special addresses has it', () => {
  fc.assert(
    fc.property(ipv4, (address) => {
      expect(specialKind(address) === undefined).toBe(known(address).range() === 'unicast');
    }),
    { numRuns: 5000 },
  );
});

test('an IPv6 address is never let through that another list has, unless it stands for an IPv4 one that is let through', () => {
  fc.assert(
    fc.property(ipv6, (address) => {
      const refused = refuseAddress(address, NO_RULES);
      const carried = embedded(address).addresses;
      if (known(address).range() !== 'unicast' && carried.length === 0) expect(refused).toBeDefined();
      for (const inner of carried) if (refuseAddress(inner, NO_RULES)) expect(refused).toBeDefined();
      if (known(address).range() === 'unicast' && !refused) expect((address[0] ?? 0) >> 5).toBe(1);
    }),
    { numRuns: 5000 },
  );
});

test('an address is within a range exactly when another implementation finds it there', () => {
  const pairs = fc.oneof(
    fc.tuple(ipv4, ipv4, fc.nat(32)),
    fc.tuple(ipv6, ipv6, fc.nat(128)),
    fc.tuple(ipv6, fc.nat(128)).map(([address, bits]) => [address, address, bits] as const),
  );
  fc.assert(
    fc.property(pairs, ([address, start, bits]) => {
      const other = known(address);
      const expected =
        other instanceof ipaddr.IPv4
          ? other.match(known(start) as ipaddr.IPv4, bits)
          : other.match(known(start) as ipaddr.IPv6, bits);
      expect(isWithin(address, { start, bits })).toBe(expected);
    }),
    { numRuns: 5000 },
  );
});
