import { subjectOf } from '../../dist/storage/subjects.js';

const ORG = '3652397';
const HOUR_MS = 3_600_000;
/** Over so long, and that long ago, the changes were made: no retention concerns them yet. */
const SPAN_MS = 60 * HOUR_MS;
const AGO_MS = 2 * HOUR_MS;
const LATER_MS = 48 * HOUR_MS;
const PER_COMMIT = 100_000;
const PER_INSERT = 5000;
const CYCLE = 8;

/**
 * Of each eight changes five are of leads, two of contacts and one of a deal. `offset` begins the ids of its records;
 * `changeOf` says which change a channel's number is about, `numberOf` the reverse.
 */
export const MODULES = [
  {
    name: 'Leads',
    channels: 10,
    offset: 300_000_000_000,
    perCycle: 5,
    changeOf: '((i - 1) / 5) * 8 + (i - 1) % 5 + 1',
    isOf: '(i - 1) % 8 < 5',
    numberOf: '((i - 1) / 8) * 5 + (i - 1) % 8 + 1',
  },
  {
    name: 'Contacts',
    channels: 6,
    offset: 400_000_000_000,
    perCycle: 2,
    changeOf: '((i - 1) / 2) * 8 + (i - 1) % 2 + 6',
    isOf: '(i - 1) % 8 IN (5, 6)',
    numberOf: '((i - 1) / 8) * 2 + (i - 1) % 8 - 4',
  },
  {
    name: 'Deals',
    channels: 8,
    offset: 500_000_000_000,
    perCycle: 1,
    changeOf: '(i - 1) * 8 + 8',
    isOf: '(i - 1) % 8 = 7',
    numberOf: '(i - 1) / 8 + 1',
  },
];
const ACCOUNTS = 600_000_000_000;
/** One change in so many is of the same record, whose history is long. */
const FAMOUS = 97;

const PER_CYCLE = MODULES.reduce((sum, { channels, perCycle }) => sum + channels * perCycle, 0);

/** What is seeded when so many notifications are wanted. */
export function planOf(notifications, now = Date.now()) {
  const cycles = Math.max(1, Math.round(notifications / PER_CYCLE));
  const changes = cycles * CYCLE;
  return {
    cycles,
    changes,
    notifications: cycles * PER_CYCLE,
    records: Math.max(100, Math.floor(changes / 20)),
    start: now - AGO_MS - SPAN_MS,
    end: now - AGO_MS,
  };
}

export const recordId = ({ offset }, index) => `${ORG}${offset + index}`;
export const FAMOUS_INDEX = 0;

/**
 * Writes them into the store of a stopped server whose channels, in the order of `MODULES`, were never written to: most
 * were delivered, each with its attempt; of a hundred one was given up, one came at the second attempt. The last channel of
 * leads is suspended and owes its last twentieth, the one before it tried as much once and will again much later; that of
 * deals has expired and holds a tenth; of the last of contacts the first part was skipped.
 */
export async function seed(engine, plan, generations, onProgress) {
  const { cycles, changes, records, start } = plan;
  const index = (k) =>
    `(CASE WHEN (${k}) % ${FAMOUS} = 0 THEN ${FAMOUS_INDEX} ELSE 1 + ((${k}) * 7919) % ${records} END)`;
  const at = (k) => `(${start} + (${k}) * ${SPAN_MS} / ${changes})`;
  await engine.write(async (run, ask) => {
    const [org] = await ask(`SELECT last_change, channel_version FROM org WHERE id = '${ORG}'`);
    const [user] = await ask(`SELECT id FROM user_account WHERE org_id = '${ORG}'`);
    const before = Number(org.last_change);
    let written = 0;

    async function inPieces(total, insert) {
      for (let from = 1; from <= total; from += PER_COMMIT) {
        const to = Math.min(total, from + PER_COMMIT - 1);
        await run(insert(engine.series(from, to)));
        written += to - from + 1;
        onProgress(written);
      }
    }

    for (const module of MODULES) {
      const own = generations[module.name];
      const id = `'${ORG}' || (${module.offset} + ${index('i')})`;
      const account = `'${ORG}' || (${ACCOUNTS} + ${index('i')} % 1000)`;
      const related = module.name === 'Deals' ? `{"module":"Accounts","id":"' || ${account} || '"}` : '';
      const numbered = own.map((generation) => `"${generation}":' || (${module.numberOf}) || '`).join(',');
      await inPieces(
        changes,
        (series) => `
          INSERT INTO record_change
            (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)
          SELECT '${ORG}', ${before} + i, '${module.name}', 'update', ${at('i')}, '${user.id}',
            '[{"id":"' || ${id} || '","fields":["Description"],"values":{"Description":"Change ' || i ||
              ', with a text of a usual length that nobody will ever read"},"related":[${related}]}]',
            '{${numbered}}', ${org.channel_version} FROM ${series} WHERE ${module.isOf}`,
      );
      await subjects(module.name, id);
      if (related !== '') await subjects('Accounts', account);
      await inPieces(
        changes,
        (series) => `
          INSERT INTO change_subject (org_id, subject, change_number)
          SELECT '${ORG}', ${subjectOf(module.name)}, ${before} + i FROM ${series} WHERE ${module.isOf}`,
      );

      async function subjects(name, record) {
        for (let from = 1; from <= changes; from += PER_INSERT) {
          const series = engine.series(from, Math.min(changes, from + PER_INSERT - 1));
          const rows = await ask(`SELECT ${record} AS id, ${before} + i AS number FROM ${series} WHERE ${module.isOf}`);
          const values = rows.map((row) => `('${ORG}', ${subjectOf(name, row.id)}, ${row.number})`);
          if (rows.length > 0)
            await run(`INSERT INTO change_subject (org_id, subject, change_number) VALUES ${values}`);
          written += PER_INSERT;
        }
        onProgress(written);
      }
      for (const [place, generation] of own.entries()) await channel(module, generation, own.length - place);
    }
    await run(`UPDATE org SET last_change = ${before + changes}, last_time = ${plan.end} WHERE id = '${ORG}'`);

    async function channel(module, generation, fromEnd) {
      const isLast = fromEnd === 1;
      const last = cycles * module.perCycle;
      const k = module.changeOf;
      const { pending, skipped } = partsOf(module, fromEnd, last);
      const tried = module.name === 'Leads' && fromEnd === 2;
      const key = `'${ORG}', '${generation}', i`;
      const state = `CASE WHEN i > ${pending} THEN 'pending' WHEN i <= ${skipped} THEN 'cancelled'
        WHEN i % 100 = 7 THEN 'parked' ELSE 'delivered' END`;
      const attempts = `CASE WHEN i > ${pending} THEN ${tried ? 1 : 0} WHEN i <= ${skipped} THEN 0 WHEN i % 100 IN (7, 50) THEN 2 ELSE 1 END`;
      const settledAt = `${at(k)} + CASE WHEN i % 100 IN (7, 50) THEN 5040 ELSE 12 END`;
      const isLost = `(i > ${pending} OR i % 100 = 7)`;
      const wasSent = `i <= ${pending} AND i > ${skipped}`;
      await inPieces(
        last,
        (series) => `
          INSERT INTO notification (org_id, generation, number, id, change_number, module, operation, ids, version,
            with_values, state, reason, attempts_made, settled_at)
          SELECT ${key}, 'msg_${generation}' || (100000000 + i), ${before} + ${k}, '${module.name}', 'update',
            '["${ORG}' || (${module.offset} + ${index(k)}) || '"]', 'v8', 0, ${state},
            CASE WHEN i <= ${skipped} THEN 'skipped' END, ${attempts},
            CASE WHEN i <= ${pending} THEN ${settledAt} END FROM ${series}`,
      );
      await inPieces(
        last,
        (series) => `
          INSERT INTO attempt (org_id, generation, number, attempt, at, duration_ms, kind, outcome, address, sent_ms,
            answered_ms)
          SELECT ${key}, 1, ${at(k)}, 12,
            CASE WHEN ${isLost} THEN 'unreachable' WHEN i % 100 = 50 THEN 'rejected' ELSE 'delivered' END,
            CASE WHEN ${isLost} THEN '{"kind":"unreachable","reason":"connect","message":"connect ECONNREFUSED"}'
              WHEN i % 100 = 50 THEN '{"kind":"rejected","status":503,"excerpt":"busy"}'
              ELSE '{"kind":"delivered","status":200}' END,
            CASE WHEN ${isLost} THEN NULL ELSE '192.0.2.7:443' END, CASE WHEN ${isLost} THEN NULL ELSE 1 END,
            CASE WHEN ${isLost} THEN NULL ELSE 11 END
          FROM ${series} WHERE ${tried ? `i > ${skipped}` : wasSent}`,
      );
      await inPieces(
        last,
        (series) => `
          INSERT INTO attempt (org_id, generation, number, attempt, at, duration_ms, kind, outcome, address, sent_ms,
            answered_ms)
          SELECT ${key}, 2, ${at(k)} + 5000, 40, CASE i % 100 WHEN 7 THEN 'rejected' ELSE 'delivered' END,
            CASE i % 100 WHEN 7 THEN '{"kind":"rejected","status":500,"excerpt":"out of order"}'
              ELSE '{"kind":"delivered","status":200}' END, '192.0.2.7:443', 2, 39
          FROM ${series} WHERE ${wasSent} AND i % 100 IN (7, 50)`,
      );
      await inPieces(
        last,
        (series) => `
          INSERT INTO undelivered (org_id, generation, number, state, reason, settled_at)
          SELECT ${key}, ${state}, CASE WHEN i <= ${skipped} THEN 'skipped' END, ${settledAt}
          FROM ${series} WHERE i <= ${skipped} OR (${wasSent} AND i % 100 = 7)`,
      );
      await inPieces(
        last,
        (series) => `
          INSERT INTO owed (org_id, generation, number, change_number, attempts_made, due_at)
          SELECT ${key}, ${before} + ${k}, ${tried ? `1, ${plan.end + LATER_MS}` : '0, NULL'} FROM ${series} WHERE i > ${pending}`,
      );
      const expired =
        module.name === 'Deals' && isLast ? `, expires_at = ${plan.end}, lapsed_from = ${before + changes}` : '';
      const one = `org_id = '${ORG}' AND generation = '${generation}'`;
      await run(`UPDATE channel SET last_number = ${last} ${expired} WHERE ${one}`);
      if (expired !== '') {
        await run(`
          INSERT INTO lapse (org_id, generation, from_change, kind, at)
          VALUES ('${ORG}', '${generation}', ${before + changes}, 'expired', ${plan.end})`);
      }
    }
  });
}

/** From behind which number on it is owed, and up to which it was skipped. */
function partsOf({ name }, fromEnd, last) {
  const part = (share) => Math.floor(last * share);
  const isLast = fromEnd === 1;
  return {
    pending: fromEnd <= 2 && name === 'Leads' ? part(0.95) : isLast && name === 'Deals' ? part(0.9) : last,
    skipped: isLast && name === 'Contacts' ? part(0.03) : 0,
  };
}
