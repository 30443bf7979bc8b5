// npm run shares -- DIR: writes into docs/performance.md what takes the main thread's time, by the profiles in a directory
// that `npm run all -- SCENARIO --profile DIR` made.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { putIntoPage, table } from './page.ts';

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

const SOCKETS = "Node's sockets, timers and turns of its loop";
const COLLECTING = 'collecting garbage';
const START = 'start';
/** Of a function by where it stands. What Node does for one of them counts as its own. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [
    /\/node_modules\/ipaddr\.js\/|\/delivery\/(answer-fields|answers|connections|connector|line|repeated-answers|request-text)\.js/,
    'requests to receivers: connections, writing requests, reading answers',
  ],
  [/\/server\/dist\/delivery\//, 'delivery: lanes, order, flights, vetting of addresses, outcomes'],
  [/\/server\/dist\/domain\//, 'deciding: validating, comparing, matching, numbering; the bodies'],
  [/\/server\/dist\/(storage|services)\//, 'commands and what is saved of them'],
  [/^node:internal\/(worker|per_context\/messageport)/, 'messages to the storage thread and from it'],
  [
    /\/node_modules\/(pino|sonic-boom|prom-client)\/|\/server\/dist\/telemetry\/|^node:(fs|internal\/fs)/,
    'log and metrics',
  ],
  [/\/node_modules\/|\/server\/dist\/http\/|^node:_http/, "callers' calls: HTTP, routes, JSON"],
  [/^node:internal\/modules|^node:internal\/bootstrap/, START],
];

function ownerOf({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === '(garbage collector)') return COLLECTING;
  return OWNERS.find(([where]) => where.test(url))?.[1];
}

/** Adds the microseconds of a profile by what they were spent on; those in which nothing was to do are left out. */
function addTimes({ nodes, samples, timeDeltas }: Profile, times: Map<string, number>): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const known = new Map<number, string>();
  const spentOn = (id: number | undefined): string => {
    const node = id === undefined ? undefined : byId.get(id);
    if (id === undefined || node === undefined) return SOCKETS;
    const owner = known.get(id) ?? ownerOf(node) ?? spentOn(parents.get(id));
    known.set(id, owner);
    return owner;
  };
  for (const [at, id] of samples.entries()) {
    if (byId.get(id)?.callFrame.functionName === '(idle)') continue;
    const what = spentOn(id);
    times.set(what, (times.get(what) ?? 0) + (timeDeltas[at] ?? 0));
  }
}

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error('npm run shares -- DIR: the directory with the profiles is missing');
const times = new Map<string, number>();
for (const name of readdirSync(resolve(dir)).filter((file) => file.endsWith('.cpuprofile'))) {
  addTimes(JSON.parse(readFileSync(join(dir, name), 'utf8')) as Profile, times);
}
times.delete(START);
const all = [...times.values()].reduce((sum, time) => sum + time, 0);
if (all === 0) throw new Error(`${dir} has no profiles`);
const rows = [...times]
  .sort(([, a], [, b]) => b - a)
  .map(([what, time]) => [what, `${((time * 100) / all).toFixed(0)} %`]);
putIntoPage('profile', table(['of the main thread', 'share'], rows));
