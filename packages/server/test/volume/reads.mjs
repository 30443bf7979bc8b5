import { setTimeout as delay } from 'node:timers/promises';
import { median } from './figures.mjs';
import { RARE } from './seed.mjs';

const PER_PAGE = 200;
/** Between two searches by Email; the other readers ask again as soon as they are answered. */
const PAUSE_MS = 20;

/**
 * Three readers that go on until they are told to pause: one lists the module by page tokens, one searches by a field
 * with look-up entries, one by a field without, which has to look at every record.
 */
export function startReads(server, seeded) {
  const times = { page: [], indexed: [], unindexed: [] };
  const seen = [];
  const problems = [];
  let token;
  let isListed = false;
  let isOn = false;
  let running = [];
  let asked = 0;

  async function timed(kind, path) {
    const start = performance.now();
    const answer = await server.get(path);
    times[kind].push(performance.now() - start);
    return answer;
  }

  async function listPage() {
    if (isListed) return false;
    const query = `fields=Last_Name&per_page=${PER_PAGE}${token ? `&page_token=${token}` : ''}`;
    const { status, body } = await timed('page', `/Contacts?${query}`);
    if (status !== 200) throw new Error(`list: ${status} ${JSON.stringify(body)}`);
    seen.push(...body.data.map(({ id }) => id));
    token = body.info.next_page_token ?? undefined;
    isListed = !body.info.more_records;
    return true;
  }

  async function searchIndexed() {
    asked += 1;
    const email = seeded.email(asked * 7919);
    const { body } = await timed('indexed', `/Contacts/search?criteria=(Email:equals:${email})`);
    if (body?.data?.length !== 1) problems.push(`${email} was found ${body?.data?.length ?? 0} times`);
    await delay(PAUSE_MS);
    return true;
  }

  async function searchUnindexed() {
    const { status, body } = await timed('unindexed', `/Contacts/search?criteria=(${RARE.field}:equals:${RARE.value})`);
    if (status !== 200 || body.data.length !== 3) problems.push(`unindexed: ${status} ${JSON.stringify(body)}`);
    return true;
  }

  async function repeat(read) {
    while (isOn && (await read()));
  }

  return {
    go() {
      isOn = true;
      running = [listPage, searchIndexed, searchUnindexed].map(repeat);
    },
    async pause() {
      isOn = false;
      await Promise.all(running);
    },
    listed: () => isListed,
    report() {
      const line = (kind, name) => `${name}: ${times[kind].length} times, median ${median(times[kind]).toFixed(1)} ms`;
      return [
        line('page', `pages of ${PER_PAGE} by token, ${seen.length} records`),
        line('indexed', 'searches by Email'),
        line('unindexed', `searches by ${RARE.field}, which has no look-up entries`),
      ].join('\n');
    },
    /** What is wrong with the list: records missing or shown twice. */
    faults(expected) {
      const distinct = new Set(seen);
      const missing = expected.filter((id) => !distinct.has(id));
      return [
        ...problems.slice(0, 5),
        ...(distinct.size < seen.length ? [`${seen.length - distinct.size} records were listed twice`] : []),
        ...(missing.length > 0 ? [`${missing.length} records were not listed, such as ${missing[0]}`] : []),
      ];
    },
  };
}
