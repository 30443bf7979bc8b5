import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { insertRows } from '../../src/storage/db.ts';
import { createCommands } from '../../src/storage/engines/sqlite-commands.ts';
import { type Command, type Reply, toCommand, toRows } from '../../src/storage/engines/sqlite-message.ts';

/** A small database with a second connection that sees what is committed and nothing else. */
function openPair() {
  const directory = mkdtempSync(join(tmpdir(), 'watchbell-commands-'));
  const file = join(directory, 'db');
  const db = new Sqlite(file);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY) STRICT');
  const witness = new Sqlite(file, { readonly: true });
  onTestFinished(() => {
    db.close();
    witness.close();
    rmSync(directory, { recursive: true });
  });
  const committed = () => witness.prepare('SELECT id FROM item ORDER BY id').pluck().all();
  let statements = 0;
  const counting = Object.create(db, {
    prepare: {
      value(text: string) {
        statements += 1;
        return db.prepare(text);
      },
    },
    exec: { value: (text: string) => db.exec(text) },
    inTransaction: { get: () => db.inTransaction },
  }) as typeof db;
  return { commands: createCommands(counting), committed, prepared: () => statements };
}

const insert = (...ids: readonly (number | string)[]): Command[] => [
  { text: 'INSERT INTO item VALUES (?)', times: ids.length, values: ids },
];
const write = (id: number, ...ids: readonly (number | string)[]) =>
  ({ id, kind: 'write', commands: insert(...ids) }) as const;
const count = (id: number) =>
  ({ id, kind: 'query', commands: [{ text: 'SELECT COUNT(*) AS n FROM item', times: 1, values: [] }] }) as const;

/** As whoever asked sees it. */
const seen = (replies: Iterable<Reply>) =>
  Array.from(replies, (reply) => (reply.kind === 'done' ? { ...reply, results: reply.results.map(toRows) } : reply));

describe('what waits for the storage thread', () => {
  it('is committed together: the first answer comes when all of it is durable', () => {
    const { commands, committed } = openPair();
    const answers = commands.answer([write(1, 1), write(2, 2), write(3, 3, 4)]);
    expect(committed()).toEqual([]);
    expect(answers.next().value).toMatchObject({ id: 1, kind: 'done' });
    expect(committed()).toEqual([1, 2, 3, 4]);
    expect([...answers].map(({ kind }) => kind)).toEqual(['done', 'done']);
  });

  it('fails alone when it cannot be saved, as a whole', () => {
    const { commands, committed } = openPair();
    const answers = [...commands.answer([write(1, 1), write(2, 2, 1), write(3, 'text'), write(4, 4)])];
    expect(answers.map((answer) => [answer.kind, 'code' in answer ? answer.code : ''])).toEqual([
      ['done', ''],
      ['failed', 'SQLITE_CONSTRAINT_PRIMARYKEY'],
      ['failed', 'SQLITE_MISMATCH'],
      ['done', ''],
    ]);
    expect(committed()).toEqual([1, 4]);
  });

  it('is dealt into several commits when it is very much', () => {
    const { commands, committed } = openPair();
    const many = (from: number) => Array.from({ length: 15_000 }, (_, i) => from + i);
    const answers = commands.answer([write(1, ...many(0)), write(2, ...many(20_000))]);
    answers.next();
    expect(committed()).toHaveLength(15_000);
    answers.next();
    expect(committed()).toHaveLength(30_000);
  });

  it('is inserted several rows at a time where there are many, all of them or none', () => {
    const { commands, committed, prepared } = openPair();
    const rows = (id: number, ...ids: number[]) => {
      const command = toCommand(
        insertRows(
          'item (id)',
          ids.map((one) => [one]),
          'ON CONFLICT (id) DO NOTHING',
        ),
      );
      return { id, kind: 'write', commands: [command] } as const;
    };
    const strict = (id: number, ...ids: number[]) => {
      const command = toCommand(
        insertRows(
          'item (id)',
          ids.map((one) => [one]),
        ),
      );
      return { id, kind: 'write', commands: [command] } as const;
    };
    const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
    expect([...commands.answer([rows(1, ...upTo(7))])].map(({ kind }) => kind)).toEqual(['done']);
    expect(prepared()).toBe(1);
    expect([...commands.answer([rows(2, ...upTo(27), 5)])].map(({ kind }) => kind)).toEqual(['done']);
    expect(committed()).toEqual(upTo(27));
    expect(prepared()).toBe(2);
    const answers = [...commands.answer([strict(3, ...upTo(20).map((n) => n + 8)), strict(4, 30)])];
    expect(answers.map((answer) => ('code' in answer ? answer.code : answer.kind))).toEqual([
      'SQLITE_CONSTRAINT_PRIMARYKEY',
      'done',
    ]);
    expect(committed()).toEqual([...upTo(27), 30]);
  });

  it('is read before what waits with it is written', () => {
    const { commands } = openPair();
    const answers = seen(commands.answer([write(1, 1), count(2)]));
    expect(answers).toEqual([
      { kind: 'done', id: 2, results: [[{ n: 0 }]] },
      { kind: 'done', id: 1, results: [[]] },
    ]);
    expect(seen(commands.answer([count(3)]))).toEqual([{ kind: 'done', id: 3, results: [[{ n: 1 }]] }]);
  });

  it('is read by statements that are kept ready, those used last', () => {
    const { commands, prepared } = openPair();
    const query = (id: number, text: string) =>
      ({ id, kind: 'query', commands: [{ text, times: 1, values: [] }] }) as const;
    const ask = (n: number) => seen(commands.answer([query(n, `SELECT ${n} AS n`)]));
    for (let n = 0; n < 500; n += 1) ask(n);
    ask(0);
    ask(500);
    expect(prepared()).toBe(501);
    expect(ask(0)).toEqual([{ kind: 'done', id: 0, results: [[{ n: 0 }]] }]);
    expect(prepared()).toBe(501);
    ask(1);
    expect(prepared()).toBe(502);
  });

  it('answers a query that is wrong with a failure', () => {
    const { commands } = openPair();
    const wrong = {
      id: 1,
      kind: 'query',
      commands: [{ text: 'SELECT nothing FROM nowhere', times: 1, values: [] }],
    } as const;
    expect([...commands.answer([wrong, count(2)])].map(({ kind }) => kind)).toEqual(['failed', 'done']);
  });
});
