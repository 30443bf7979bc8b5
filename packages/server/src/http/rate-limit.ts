import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { AppError } from '../domain/error.ts';
import type { Principal } from '../domain/org.ts';
import { type PaidBackAt, type Rate, type RateLimits, take, waitFor } from '../domain/rate-limit.ts';
import { type ApiVersion, VERSION_RULES } from '../domain/wire/api-version.ts';
import { addressOf } from './proxies.ts';

/** What a sign-in says of its secret; `open`: nothing. */
export type Verdict = 'right' | 'wrong' | 'open';

export interface RateLimiter {
  /** Lets a request begin, or throws the version's code for 429; what it gives back must be called at its end. */
  begin(principal: Principal, version: ApiVersion): () => void;
  /**
   * Runs a sign-in by a token or secret, which is wrong when it throws INVALID_TOKEN or `judge` says so. While its
   * address has been wrong too often, one that has not worked lately is answered 429 without a look, in the words of
   * `version`, so that nothing can be guessed at speed, and nobody is shut out by a neighbour.
   */
  signIn<Result>(
    request: FastifyRequest,
    secret: string | undefined,
    attempt: () => Promise<Result>,
    how?: { readonly judge?: (result: Result) => Verdict; readonly version?: ApiVersion },
  ): Promise<Result>;
  /** A token that we issued: it is taken from any address. */
  learn(secret: string): void;
}

/** More organisations × clients or addresses than these at once are forgiven, oldest first. */
const MAX_KEPT = 10_000;
/** When a place is free is not known: try again after this. */
const CONCURRENT_WAIT_MS = 1_000;

/** `realNow`: epoch ms. What is counted lives in memory and starts anew with the process. */
export function createRateLimiter(limits: RateLimits, realNow: () => number): RateLimiter {
  const requests = createRates(limits.requests, realNow);
  const wrong = createRates(limits.wrongTokens, realNow);
  const running = new Map<string, number>();
  const known = createKnown();

  return {
    begin({ org, clientId }, version) {
      const key = `${org.id} ${clientId}`;
      const atOnce = running.get(key) ?? 0;
      if (limits.concurrent !== undefined && atOnce >= limits.concurrent) throw tooMany(CONCURRENT_WAIT_MS, version);
      const waitMs = requests.take(key);
      if (waitMs > 0) throw tooMany(waitMs, version);
      running.set(key, atOnce + 1);
      return () => {
        const left = (running.get(key) ?? 1) - 1;
        if (left > 0) running.set(key, left);
        else running.delete(key);
      };
    },

    async signIn(request, secret, attempt, { judge = (): Verdict => 'right', version } = {}) {
      if (!limits.wrongTokens || secret === undefined) return attempt();
      const from = networkOf(addressOf(request));
      const waitMs = wrong.waitFor(from);
      if (waitMs > 0 && !known.has(secret)) throw tooMany(waitMs, version);
      const learnFrom = (verdict: Verdict) => {
        if (verdict === 'right') known.add(secret);
        if (verdict !== 'wrong') return;
        known.remove(secret);
        wrong.take(from);
      };
      try {
        const result = await attempt();
        learnFrom(judge(result));
        return result;
      } catch (error) {
        if (error instanceof AppError && error.code === 'INVALID_TOKEN') learnFrom('wrong');
        throw error;
      }
    },

    learn: (secret) => {
      if (limits.wrongTokens) known.add(secret);
    },
  };
}

/** Whoever has an IPv6 address has the 2⁶⁴ around it. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()}/64`;
}

function tooMany(waitMs: number, version: ApiVersion = 'v7'): AppError {
  const code = VERSION_RULES[version].tooManyCode;
  return new AppError(code, 'Too many requests. Please try again later.', {}, { retryAfterMs: waitMs });
}

interface Rates {
  /** Takes one; answers 0, or the ms until there is one again. */
  take(key: string): number;
  waitFor(key: string): number;
}

function createRates(rate: Rate | undefined, realNow: () => number): Rates {
  if (!rate) return { take: () => 0, waitFor: () => 0 };
  const kept = new Map<string, PaidBackAt>();
  return {
    take(key) {
      const taking = take(kept.get(key), rate, realNow());
      if (!taking.ok) return taking.waitMs;
      kept.delete(key);
      kept.set(key, taking.paidBackAt);
      dropOldest(kept);
      return 0;
    },
    waitFor: (key) => waitFor(kept.get(key), rate, realNow()),
  };
}

/** Tokens and secrets that worked lately, as hashes. */
function createKnown() {
  const hashes = new Map<string, true>();
  const hashOf = (secret: string) => hash('sha256', secret, 'base64');
  return {
    has: (secret: string) => hashes.has(hashOf(secret)),
    add(secret: string): void {
      const known = hashOf(secret);
      hashes.delete(known);
      hashes.set(known, true);
      dropOldest(hashes);
    },
    remove: (secret: string): void => {
      hashes.delete(hashOf(secret));
    },
  };
}

function dropOldest(kept: Map<string, unknown>): void {
  const oldest = kept.size > MAX_KEPT ? kept.keys().next().value : undefined;
  if (oldest !== undefined) kept.delete(oldest);
}
