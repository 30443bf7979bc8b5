import type { Ask, Rows } from './rows.ts';
import type { Names } from './world.ts';

/** Of the routes of one channel that readers of its numbers use, on one of the two surfaces. */
export function feedRows(channel: string, pathOf: (names: Names) => NonNullable<Ask['path']>): Rows {
  const cursor = `${channel}/feed/cursors/{name}`;
  const withCursor = (names: Names) => ({ ...pathOf(names), name: 'reader' });
  return {
    [`GET ${channel}/feed`]: (names) => [
      { path: pathOf(names), query: 'after=0' },
      { path: pathOf(names), query: 'cursor=reader' },
    ],
    [`GET ${channel}/feed/cursors`]: (names) => ({ path: pathOf(names) }),
    [`GET ${cursor}`]: (names) => ({ path: withCursor(names) }),
    [`PUT ${cursor}`]: (names) => ({ path: withCursor(names), body: { number: 0 } }),
    [`DELETE ${cursor}`]: (names) => ({ path: withCursor(names) }),
    [`GET ${channel}/gaps`]: (names) => [{ path: pathOf(names) }, { path: pathOf(names), query: 'cursor=reader' }],
    [`GET ${channel}/lapses`]: (names) => ({ path: pathOf(names) }),
    [`POST ${channel}/rematches`]: (names) => [
      { path: pathOf(names), body: { all: true } },
      { path: pathOf(names), body: { all: true, dry_run: true } },
    ],
  };
}
