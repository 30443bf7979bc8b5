import type { Ask, Figures, Measured } from '../scenario.ts';
import { usageOfTree } from '../services/usage.ts';

/** Each side once a round, A B A B …; the first round warms the machine up and is not counted. */
export async function inTurns(
  { rounds, log }: Ask,
  sides: Readonly<Record<string, () => Promise<Figures>>>,
): Promise<Measured> {
  const measured = Object.fromEntries(Object.keys(sides).map((name) => [name, [] as Figures[]]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of Object.entries(sides)) {
      const figures = await measure();
      log(`${round === 0 ? 'warm-up' : `round ${round}`}, ${name}: ${told(figures)}`);
      if (round > 0) measured[name]?.push(figures);
    }
  }
  return { rounds: measured };
}

const told = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');

/** Microseconds of processor time that processes, with those below them, take for each of `count` things. */
export async function cpuEach(pids: readonly number[], count: number, work: () => Promise<void>): Promise<number> {
  const used = (): number => pids.reduce((sum, pid) => sum + usageOfTree(pid).cpu, 0);
  const before = used();
  await work();
  return ((used() - before) * 1e6) / count;
}
