import type { OAuthPolicy } from '../../domain/oauth/policy.ts';
import type { AccountStore, ClientStore, TokenStore } from '../../storage/store.ts';
import type { RandomBytes } from '../secret.ts';
import type { Trust } from './trust.ts';

/** What the parts of OAuth work with. */
export interface OAuthParts {
  readonly tokens: TokenStore;
  readonly accounts: AccountStore;
  readonly clients: ClientStore;
  readonly policy: OAuthPolicy;
  /** Real time, epoch ms: the life of tokens does not follow the injected clock (P12). */
  readonly realNow: () => number;
  readonly random: RandomBytes;
  readonly trust: Trust;
}
