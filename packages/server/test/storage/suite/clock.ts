import { describe, expect, it } from 'vitest';
import type { Open } from './sample.ts';

export function clockSuite(open: Open): void {
  describe('the clock of the dev profile', () => {
    it('is kept as it was left', async () => {
      const { store, reopen } = await open();
      expect((await store.clock.load()).left).toBeUndefined();
      expect(await store.clock.save({ offset: 1000 }, undefined)).toBe(true);
      expect(await store.clock.save({ offset: 1000, frozenAt: 7 }, { offset: 1000 })).toBe(true);
      expect((await (await reopen()).clock.load()).left).toEqual({ offset: 1000, frozenAt: 7 });
    });

    it('is moved by one of those who would move it from where it stands', async () => {
      const { store } = await open();
      const race = (before: { offset: number } | undefined) =>
        Promise.all([1, 2, 3].map((i) => store.clock.save({ offset: (before?.offset ?? 0) + i }, before)));
      const first = await race(undefined);
      expect(first.filter((done) => done)).toHaveLength(1);
      const { left } = await store.clock.load();
      expect(left).toEqual({ offset: first.indexOf(true) + 1 });
      expect((await race(left)).filter((done) => done)).toHaveLength(1);
    });
  });
}
