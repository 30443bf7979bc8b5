import { ApiError } from './errors.ts';
import { isObject, type Transport } from './transport.ts';
import type { TokenAnswer } from './wire.ts';

export interface AccessOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

export interface Access {
  /** A token that should still be accepted: the cached one, or a new one. Callers at the same time share one request. */
  token(): Promise<string>;
  /** Forgets `token` after the server refused it; one that replaced it meanwhile is kept. */
  forget(token: string): void;
}

interface CachedToken {
  readonly text: string;
  readonly until: number;
}

/** A token is not used in its last moments, so that it does not end on the way. */
const MARGIN_MS = 5_000;

/** Exchanges a refresh token for access tokens when they are needed. */
export function createAccess(transport: Transport, { clientId, clientSecret, refreshToken }: AccessOptions): Access {
  let cached: CachedToken | undefined;
  let asking: Promise<CachedToken> | undefined;

  async function ask(): Promise<CachedToken> {
    const form = {
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
    };
    const askedAt = Date.now();
    const { status, body } = await transport({ method: 'POST', path: '/oauth/v2/token', form });
    const answer = body as TokenAnswer | undefined;
    if (!isObject(answer) || !('access_token' in answer)) throw refused(answer, status);
    return { text: answer.access_token, until: askedAt + answer.expires_in * 1000 - MARGIN_MS };
  }

  return {
    async token() {
      if (cached && Date.now() < cached.until) return cached.text;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      cached = await asking;
      return cached.text;
    },
    forget(token) {
      if (cached?.text === token) cached = undefined;
    },
  };
}

function refused(answer: unknown, status: number): ApiError {
  const code = isObject(answer) && typeof answer.error === 'string' ? answer.error : 'UNEXPECTED_ANSWER';
  return new ApiError(code, `No access token was given: ${code}`, status);
}
