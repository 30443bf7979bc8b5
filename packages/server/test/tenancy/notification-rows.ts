import type { Rows } from './rows.ts';

/** Of an operator's routes that find notifications and attempts. */
export const operatorNotificationRows = (org: string): Rows => ({
  [`GET ${org}/notifications`]: ({ org, generation, user, contact }) => [
    { path: { org } },
    { path: { org }, query: `channel=${generation}` },
    { path: { org }, query: `user=${user}` },
    { path: { org }, query: `module=Contacts&record=${contact}` },
  ],
  [`GET ${org}/notifications/{notification}`]: ({ org, notification }) => ({ path: { org, notification } }),
  [`GET ${org}/channels/{generation}/notifications/{number}`]: ({ org, generation }) => ({
    path: { org, generation, number: '1' },
  }),
  [`GET ${org}/attempts`]: ({ org, generation }) => [
    { path: { org } },
    { path: { org }, query: `channel=${generation}` },
  ],
});

/** Of an owner's. */
export const ownerNotificationRows = (own: string): Rows => ({
  [`GET ${own}/notifications`]: ({ channel, contact }) => [
    { query: `channel=${channel}` },
    { query: `module=Contacts&record=${contact}`, always: true },
  ],
  [`GET ${own}/notifications/{notification}`]: ({ notification }) => ({ path: { notification } }),
  [`GET ${own}/channels/{channel}/notifications/{number}`]: ({ channel, generation }) => [
    { path: { channel, number: '1' } },
    { path: { channel, number: '1' }, query: `generation=${generation}` },
  ],
  [`GET ${own}/attempts`]: ({ channel }) => [{ query: `channel=${channel}` }, { always: true }],
});
