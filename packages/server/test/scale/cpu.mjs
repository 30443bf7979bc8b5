// Processor time that processes used so far, in milliseconds; as Linux tells it.
import { readdir, readFile } from 'node:fs/promises';

const MS_PER_TICK = 10;

async function statOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program may hold anything, and stands in brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at] ?? 0));
  return { parent, own: user + system, ended: endedUser + endedSystem };
}

export async function cpuOf(pid) {
  return (await statOf(pid)).own * MS_PER_TICK;
}

/** With its children, those that have ended as well. */
export async function cpuOfFamily(pid) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(statOf));
  const { own, ended } = await statOf(pid);
  const children = all.filter(({ parent }) => parent === pid).reduce((sum, child) => sum + child.own, 0);
  return (own + ended + children) * MS_PER_TICK;
}
