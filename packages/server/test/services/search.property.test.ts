import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import type { NotificationId, RecordId, UserId } from '../../src/domain/ids.ts';
import type { Principal } from '../../src/domain/org.ts';
import { keyValue, type StoredRecord, type Values } from '../../src/domain/record.ts';
import { keysOf } from '../../src/domain/records/keys.ts';
import { putRecord, takeId, type WorkingSet } from '../../src/domain/working-set.ts';
import { createSearch, DEFAULT_SEARCH_POLICY, type Search } from '../../src/services/search.ts';
import { createWriter } from '../../src/services/writer.ts';
import type { Store } from '../../src/storage/store.ts';
import { addOrgs, ORG, PATRICIA } from '../storage/suite/sample.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';
import { type Asked, hasWord, matches, OPERATORS, THINGS, written } from './search-model.ts';

const RECORDS = 400;
// On PostgreSQL, where each takes several round trips, enough to meet each way in which its statements differ.
const SEARCHES = inject('engine') === 'sqlite' ? 10_000 : 1500;
/** One minute for what takes some ten seconds. */
const PATIENCE_MS = 120_000;

const TEXTS = [
  'Boyle',
  'BOYLE ',
  'boy',
  'Burns,B',
  '(x)',
  String.raw`a\b`,
  String.raw`\(`,
  'Ünal',
  'ÜNAL GÜL',
  'ΑΣ',
  'İx',
  '😀 x',
  '% _',
  '"q"',
  'x","y',
  "O'Neil' OR 1=1 --",
  'a:b and c',
  '1',
  'true',
  'null',
  '$.Name',
] as const;
const EMAILS = ['a@x.example', 'A@X.example', 'b@x.example', 'c@y.example'] as const;
const NUMBERS = ['-1.5', '0', '0.1', '0.3', '2', '10', '1000000000', '99999999.99', '1234567890123.45'] as const;
const WHOLE = ['-7', '0', '2', '9', '10', '999999999'] as const;
const BIG = ['-5', '7', '9', '10', '123456789012345678', '123456789012345679'] as const;
const DAYS = ['1999-12-31', '2026-01-05', '2026-01-06', '2026-10-01'] as const;
const TIMES = ['2026-01-05T00:00:00Z', '2026-01-05T09:00:00Z', '2026-01-05T09:00:01Z', '2026-12-31T23:59:59Z'] as const;
const IDS = ['3652397000000000001', '3652397000000000002', '12'] as const;
const START = Date.UTC(2026, 0, 5, 9);

const POOLS: Readonly<Record<string, readonly string[]>> = {
  Owner: IDS,
  Created_By: [PATRICIA, ...IDS],
  Created_Time: Array.from({ length: 6 }, (_, i) => new Date(START + i * 1000).toISOString().replace('.000', '')),
  Modified_Time: TIMES,
  Name: TEXTS,
  Note: TEXTS,
  Email: EMAILS,
  Other_Email: EMAILS,
  Phone: ['+1 (555) 0100', '555-0100', '0100'],
  Site: ['https://x.example/a', 'x.example'],
  Stage: ['New', 'new', 'Won, at last'],
  Number: ['A-1', 'A-10', 'B-1'],
  Colours: TEXTS,
  Count: WHOLE,
  Big: BIG,
  Ratio: NUMBERS,
  Amount: NUMBERS,
  Share: NUMBERS,
  Day: DAYS,
  Time: TIMES,
  Done: ['true', 'False'],
  Account: IDS,
  Helper: IDS,
};

const of = (pool: readonly string[]) => fc.constantFrom(...pool);
const number = (pool: readonly string[]) => of(pool).map(Number);
const reference = of(IDS).map((id) => ({ id }));

/** What is stored; each value may be missing. */
const VALUES: fc.Arbitrary<Values> = fc.record(
  {
    Owner: reference,
    Name: of(TEXTS),
    Note: of(TEXTS),
    Email: of(EMAILS),
    Other_Email: of(EMAILS),
    Phone: of(POOLS.Phone ?? []),
    Site: of(POOLS.Site ?? []),
    Stage: of(POOLS.Stage ?? []),
    Number: of(POOLS.Number ?? []),
    Colours: fc.uniqueArray(of(TEXTS), { minLength: 1, maxLength: 3 }),
    Count: number(WHOLE),
    Big: of(BIG),
    Ratio: number(NUMBERS),
    Amount: number(NUMBERS),
    Share: number(NUMBERS),
    Day: of(DAYS),
    Time: of(TIMES),
    Done: fc.boolean(),
    Account: reference,
    Helper: reference,
  },
  { requiredKeys: [] },
);

let store: Store;
let search: Search;
let records: StoredRecord[];
let principal: Principal;
const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-search-'));

beforeAll(async () => {
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(7), logger });
  await addOrgs(store, ORG);
  const values = fc.sample(VALUES, RECORDS);
  const modified = fc.sample(of(TIMES), RECORDS);
  const writer = createWriter({
    store: store.writing,
    clock: createManualClock(START),
    randomId: () => '' as NotificationId,
    onCommitted: () => {},
    maxQueued: 10,
    maxBatchWeight: 10,
  });
  const decide = (set: WorkingSet) =>
    values.map((given, i) => {
      const record: StoredRecord = {
        module: 'Things',
        id: takeId(set) as RecordId,
        values: given,
        createdAt: START + i * 17,
        createdBy: PATRICIA,
        modifiedAt: Date.parse(modified[i] ?? '') + (i % 1000),
        modifiedBy: PATRICIA,
      };
      putRecord(set, record, keysOf(THINGS, given));
      return record;
    });
  records = (await writer.submit(ORG, { needs: {}, weight: 1, decide })).toReversed();
  const member = await store.accounts.findMember(ORG, PATRICIA as UserId);
  if (!member) throw new Error('The user is not there');
  principal = {
    ...member,
    catalog: { ...member.catalog, modules: [THINGS], byName: new Map([['Things', THINGS]]) },
    clientId: 'client',
    scopes: [],
  };
  const { accounts, records: reads } = store;
  const policy = { ...DEFAULT_SEARCH_POLICY, sliceSize: 150 };
  search = createSearch({ search: store.search, reads, accounts, policy });
});
afterAll(async () => {
  await store.close();
  await removeData(dataDir);
});

const inOffset = (time: string, minutes: number): string => {
  const local = new Date(Date.parse(time) + minutes * 60_000).toISOString().slice(0, 19);
  const two = (size: number) => String(size).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${local}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
};

const clause: fc.Arbitrary<Asked> = fc
  .record({
    field: fc.constantFrom(...Object.keys(OPERATORS)),
    pick: fc.nat(),
    values: fc.array(fc.nat(), { minLength: 2, maxLength: 4 }),
    offset: fc.constantFrom(0, 330, -180),
  })
  .map(({ field, pick, values, offset }) => {
    const operators = OPERATORS[field] ?? [];
    const operator = operators[pick % operators.length] ?? '';
    const pool = field === 'id' ? records.slice(0, 50).map(({ id }) => String(id)) : (POOLS[field] ?? []);
    const count = operator === 'in' ? values.length : operator === 'between' ? 2 : 1;
    const chosen = values.slice(0, count).map((n) => pool[n % pool.length] ?? '');
    const isTime = field.endsWith('Time');
    return { field, operator, values: isTime ? chosen.map((time) => inOffset(time, offset)) : chosen };
  });

const asked: fc.Arbitrary<Asked> = fc.letrec<{ group: Asked; node: Asked }>((tie) => ({
  node: fc.oneof({ maxDepth: 2, withCrossShrink: true }, clause, tie('group')),
  group: fc.record({
    kind: fc.constantFrom('and' as const, 'or' as const),
    members: fc.array(tie('node'), { minLength: 2, maxLength: 3 }),
  }),
})).node;

const page = fc.record({ page: fc.integer({ min: 1, max: 3 }), perPage: fc.constantFrom(1, 7, 50, 200) });

const count = (node: Asked): number => ('kind' in node ? node.members.reduce((sum, m) => sum + count(m), 0) : 1);

function expected(found: readonly StoredRecord[], at: { page: number; perPage: number }) {
  const from = (at.page - 1) * at.perPage;
  return {
    ids: found.slice(from, from + at.perPage).map(({ id }) => id),
    moreRecords: found.length > from + at.perPage,
  };
}

async function answer(question: Parameters<Search['find']>[2], at: { page: number; perPage: number }) {
  const found = await search.find(principal, 'Things', question, at);
  return { ids: found.records.map(({ id }) => id), moreRecords: found.moreRecords };
}

/** The criteria with something taken out, put in or doubled. */
const broken = fc
  .record({ node: asked, at: fc.nat(), put: fc.constantFrom('', '(', ')', ',', ':', '\\', "'", 'and', '\0', '٣', ' ') })
  .map(({ node, at, put }) => {
    const text = written(node);
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(put === '' ? place + 1 : place);
  });

describe('searches', () => {
  it(`find what a simple model finds, ${SEARCHES} of them`, { timeout: PATIENCE_MS }, async () => {
    let nonEmpty = 0;
    const kinds = fc.oneof(
      {
        weight: 8,
        arbitrary: asked.filter((node) => count(node) <= 15).map((node) => ({ by: 'criteria' as const, node })),
      },
      { weight: 1, arbitrary: of(EMAILS).map((text) => ({ by: 'email' as const, text })) },
      {
        weight: 1,
        arbitrary: fc.oneof(of(TEXTS), of(['oy', 'X', '","', 'ü'])).map((text) => ({ by: 'word' as const, text })),
      },
    );
    const same = fc.asyncProperty(kinds, page, async (kind, at) => {
      const found = records.filter((record) => {
        if (kind.by === 'criteria') return matches(record, kind.node);
        if (kind.by === 'word') return hasWord(record, kind.text);
        return ['Email', 'Other_Email'].some((name) => keyValue(record.values[name] ?? '') === keyValue(kind.text));
      });
      if (found.length > 0) nonEmpty += 1;
      const text = kind.by === 'criteria' ? written(kind.node) : kind.text;
      expect(await answer({ by: kind.by, text }, at)).toEqual(expected(found, at));
    });
    await fc.assert(same, { numRuns: SEARCHES });
    expect(nonEmpty).toBeGreaterThan(SEARCHES / 4);
  });

  it('that are broken are answered or refused, never a fault of ours', { timeout: PATIENCE_MS }, async () => {
    const refusedOrAnswered = fc.asyncProperty(broken, async (text) => {
      const error = await answer({ by: 'criteria', text }, { page: 1, perPage: 200 }).catch((caught) => caught);
      if (error instanceof Error) {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).code).toBe('INVALID_QUERY');
      }
    });
    await fc.assert(refusedOrAnswered, { numRuns: SEARCHES / 5 });
  });
});
