import type { Rows } from './rows.ts';

/** Of an operator's routes that tell of the life of channels. */
export const operatorNoticeRows = (org: string): Rows => ({
  [`GET ${org}/lifecycle`]: ({ org }) => ({ path: { org } }),
  [`PUT ${org}/lifecycle`]: ({ org }) => ({ path: { org }, body: { url: null } }),
  [`GET ${org}/notices`]: ({ org, generation }) => [
    { path: { org } },
    { path: { org }, query: `channel=${generation}` },
  ],
  [`POST ${org}/notices/{notice}/redeliver`]: ({ org, notice }) => ({ path: { org, notice } }),
});

/** Of an owner's. */
export const ownerNoticeRows = (own: string): Rows => ({
  [`GET ${own}/notices`]: ({ channel }) => [{ query: `channel=${channel}` }, { always: true }],
  [`POST ${own}/notices/{notice}/redeliver`]: ({ notice }) => ({ path: { notice } }),
});
