import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import type { Line } from '../crash/load.ts';
import type { Node } from './nodes.ts';
import { oneOf } from './random.ts';

export interface ClusterLine extends Line {
  /** Answers by status, what was asked again too; 0: none came. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Of 503 answers that say not when to come again. */
  readonly withoutRetryAfter: () => number;
}

const PATIENCE_MS = 3000;
const MAX_TRIES = 12;
const WAIT_MS = 250;

/** Mostly one that is not frozen, as by a balancer that looks after its nodes. */
function chosen(nodes: readonly Node[]): Node | undefined {
  const awake = nodes.filter(({ isFrozen }) => !isFrozen);
  return oneOf(awake.length > 0 && Math.random() < 0.95 ? awake : nodes);
}

/**
 * To any node, each time another. Half of the writes of records have an idempotency key and are repeated until they are
 * answered; all else is asked once.
 */
export function lineToAny(running: () => readonly Node[], token: string): ClusterLine {
  const agent = new Agent({ connections: 24, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const statuses = new Map<number, number>();
  let withoutRetryAfter = 0;

  async function once(method: string, path: string, body: object | undefined, key: string | undefined) {
    const origin = chosen(running())?.base;
    if (origin === undefined) throw new Error('No node runs');
    const {
      statusCode,
      headers,
      body: answer,
    } = await agent.request({
      origin,
      method: method as 'POST',
      path,
      headers: { authorization: `Zoho-oauthtoken ${token}`, ...(key && { 'idempotency-key': key }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (statusCode === 503 && headers['retry-after'] === undefined) withoutRetryAfter += 1;
    return { statusCode, text: await answer.text() };
  }

  return {
    statuses,
    withoutRetryAfter: () => withoutRetryAfter,
    async call(method, path, body) {
      const key = !path.includes('/actions/') && Math.random() < 0.5 ? randomUUID() : undefined;
      for (let tries = 1; ; tries += 1) {
        const answer = await once(method, path, body, key).catch(() => undefined);
        const status = answer?.statusCode ?? 0;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (answer && status < 500) return answer;
        if (key !== undefined && tries < MAX_TRIES) await delay(WAIT_MS);
        else if (answer) return answer;
        else throw new Error('There was no answer');
      }
    },
    close: () => agent.destroy(),
  };
}
