import type { Attempt } from '../domain/attempt.ts';
import { type Channel, channelState } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, NotificationId, OrgId } from '../domain/ids.ts';
import { type PaidBackAt, type Rate, take } from '../domain/rate-limit.ts';
import type { AdministrationStore } from '../storage/store.ts';

/** What came of a test notification. */
export interface ChannelTest extends Omit<Attempt, 'attempt' | 'job'> {
  readonly id: NotificationId;
  /** As it was sent to. */
  readonly channel: Channel;
}

/** Sends test notifications, so that a receiver can be looked at without a change of a record. */
export interface ChannelTests {
  /**
   * To a live or a suspended channel: so it is found out whether its receiver is back. NOT_FOUND: there is none, or it
   * has ended. INVALID_DATA: it has expired. TOO_MANY_REQUESTS: ten a minute for a channel on each node, or too many at
   * once.
   */
  send(org: OrgId, generation: Generation): Promise<ChannelTest>;
}

export interface ChannelTestsOptions {
  readonly store: Pick<AdministrationStore, 'findChannel'>;
  readonly sendTest: (org: OrgId, channel: Channel) => Promise<Omit<ChannelTest, 'channel'>>;
  readonly clock: Clock;
  /** Epoch ms. */
  readonly realNow: () => number;
}

const RATE: Rate = { perSecond: 10 / 60, burst: 10 };
/** Of all channels of this node, and of one organisation. */
const AT_ONCE = 32;
const OF_ORG = 8;
/** More channels than these at once are forgiven, oldest first. */
const MAX_KEPT = 10_000;

export function createChannelTests({ store, sendTest, clock, realNow }: ChannelTestsOptions): ChannelTests {
  const rates = new Map<Generation, PaidBackAt>();
  const running = new Map<OrgId, number>();
  let atOnce = 0;

  function requireRate(generation: Generation): void {
    const taking = take(rates.get(generation), RATE, realNow());
    if (!taking.ok) throw tooMany(taking.waitMs);
    rates.delete(generation);
    rates.set(generation, taking.paidBackAt);
    const [oldest] = rates.size > MAX_KEPT ? rates.keys() : [];
    if (oldest !== undefined) rates.delete(oldest);
  }

  async function sendBounded(org: OrgId, channel: Channel) {
    const ofOrg = running.get(org) ?? 0;
    if (atOnce >= AT_ONCE || ofOrg >= OF_ORG) throw tooMany(1000);
    requireRate(channel.generation);
    atOnce += 1;
    running.set(org, ofOrg + 1);
    try {
      return await sendTest(org, channel);
    } finally {
      atOnce -= 1;
      const left = (running.get(org) ?? 1) - 1;
      if (left > 0) running.set(org, left);
      else running.delete(org);
    }
  }

  return {
    async send(org, generation) {
      const channel = (await store.findChannel(org, generation))?.channel;
      const state = channel && channelState(channel, clock.now());
      if (!channel || state === 'ended') {
        throw new AppError('NOT_FOUND', 'There is no such channel, or it has ended', { api_name: 'channel' });
      }
      if (state === 'expired') {
        throw new AppError('INVALID_DATA', 'The channel has expired: nothing is sent until its owner renews it', {
          api_name: 'channel',
        });
      }
      return { ...(await sendBounded(org, channel)), channel };
    },
  };
}

const tooMany = (retryAfterMs: number): AppError =>
  new AppError('TOO_MANY_REQUESTS', 'Too many test notifications. Please try again later.', {}, { retryAfterMs });
