// npm run volume -- --records 2000000 --rounds 5 --seconds 20: what long reads of a big module cost its writers.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCounts } from './arguments.mjs';
import { HEAD, median, row } from './figures.mjs';
import { startReads } from './reads.mjs';
import { seed } from './seed.mjs';
import { startServer } from './server.mjs';
import { openChannel, write } from './writes.mjs';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '200' },
  },
});
const { records, rounds, seconds, rate } = readCounts(values);
const BY_API = 10_000;

const say = (text) => process.stdout.write(`${text}\n`);
const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-volume-'));
let server;
let channel;
try {
  // The first start makes the store and its sample organisation.
  await (await startServer(dataDir)).stop();
  const started = Date.now();
  const seeded = seed(dataDir, records);
  say(`${records} contacts put into the store in ${Math.round((Date.now() - started) / 1000)} s`);

  server = await startServer(dataDir);
  const added = await server.addContacts(BY_API);
  say(`${added.length} more created through the API`);
  const counted = (await server.get('/Contacts/actions/count')).body.count;
  say(`${counted} counted`);

  channel = await openChannel(server);
  const reads = startReads(server, seeded);
  await write(server, added, { rate, seconds: 5 });
  const results = [];
  say(HEAD);
  for (let round = 1; round <= rounds; round += 1) {
    const alone = await write(server, added, { rate, seconds });
    reads.go();
    const beside = await write(server, added, { rate, seconds });
    await reads.pause();
    results.push({ alone, beside });
    say(row(round, alone, beside));
  }
  const of = (side, figure) => median(results.map((result) => result[side][figure])).toFixed(1);
  say(
    `median: p50 ${of('alone', 'p50')} ms alone, ${of('beside', 'p50')} ms beside reads; ` +
      `p99 ${of('alone', 'p99')} ms alone, ${of('beside', 'p99')} ms beside reads`,
  );

  reads.go();
  await write(server, added, { rate, until: () => reads.listed() });
  await reads.pause();
  say(reads.report());
  const faults = reads.faults([...seeded.ids(), ...added]);
  say(faults.length === 0 ? 'The list had every record, none twice' : faults.join('\n'));
  await channel.drained();
  say(`${channel.received()} notifications delivered for ${channel.owed()} writes`);
  const failed =
    faults.length > 0 ||
    channel.received() < channel.owed() ||
    results.some(({ alone, beside }) => alone.failed + beside.failed > 0);
  process.exitCode = failed ? 1 : 0;
} finally {
  await channel?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
}
