import { randomUUID } from 'node:crypto';
import type { Attempt } from '../domain/attempt.ts';
import type { Channel } from '../domain/channel.ts';
import type { NotificationId, OrgId } from '../domain/ids.ts';
import { notificationBody, requestUrl } from '../domain/wire/notification-body.ts';
import { attempt, type Exchange, type Post } from './attempt.ts';
import type { FlightContext } from './flight.ts';
import { signatureOf } from './signatures.ts';

/** What came of a test notification. */
export interface TestSent extends Omit<Attempt, 'attempt' | 'job'> {
  readonly id: NotificationId;
}

/**
 * Sends a test to a channel: the shape of what it is sent, about no record, without a number. Nothing of it is kept, and
 * nothing is concluded from it. Never throws but when the store cannot be read.
 */
export async function sendTest(org: OrgId, channel: Channel, context: FlightContext): Promise<TestSent> {
  const { clock, policy, connections, stop, orgSignings } = context;
  const id = `test_${randomUUID().replaceAll('-', '')}` as NotificationId;
  if (!orgSignings.isKnown(org)) await orgSignings.load(org);
  const at = clock.now();
  const started = performance.now();
  const exchanged = await exchange();
  return { id, at, durationMs: Math.round(performance.now() - started), ...exchanged };

  async function exchange(): Promise<Exchange> {
    try {
      return await attempt(testPost(org, channel, { id, at }, context), connections, policy, stop);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'Not sendable';
      return { outcome: { kind: 'unreachable', reason: 'protocol', message } };
    }
  }
}

function testPost(
  org: OrgId,
  channel: Channel,
  { id, at }: Pick<TestSent, 'id' | 'at'>,
  { base, compat, userAgent, orgSignings }: FlightContext,
): Post {
  const { generation, version, withValues, userId: by } = channel;
  const [{ module, operation } = { module: 'Contacts', operation: 'update' as const }] = channel.events;
  const change = { org, number: 0, module, operation, at, by, channelVersion: 0, records: [] };
  const body = notificationBody(
    { org, generation, number: 0, id, module, operation, ids: [], version, withValues, change },
    channel,
    { base: base(), compat },
  );
  // Real time, as receivers judge its age by their own clocks (P12).
  const realNow = Date.now();
  const timestamp = Math.floor(realNow / 1000);
  const signature = signatureOf(orgSignings.of(org, channel), { id, timestamp, body }, realNow);
  return {
    url: new URL(requestUrl(channel.notifyUrl)),
    body,
    headers: {
      'content-type': 'application/json;charset=utf-8',
      'user-agent': userAgent,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      ...(signature !== undefined && { 'webhook-signature': signature }),
      'watchbell-test': 'true',
    },
  };
}
