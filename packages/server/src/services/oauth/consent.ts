import { AppError } from '../../domain/error.ts';
import type { OrgId, UserId } from '../../domain/ids.ts';
import { isLoopbackUri } from '../../domain/oauth/redirect-uri.ts';
import { isActive, requireOpen, type User } from '../../domain/org.ts';
import { readScopes } from '../../domain/scope.ts';
import type { Membership, OAuthClient } from '../../storage/store.ts';
import type { GrantInput } from './grants.ts';
import type { OAuthParts } from './parts.ts';
import type { SignIn } from './sign-in.ts';

/** What an application sends a person's browser with; absent ones undefined. */
export interface ConsentRequest {
  readonly clientId?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly responseType?: string | undefined;
  readonly accessType?: string | undefined;
  readonly scope?: string | undefined;
  readonly state?: string | undefined;
}

/** A request that a person can decide on. */
export interface ConsentQuestion {
  readonly clientName: string;
  readonly orgName: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Whether the application may go on without the person. */
  readonly isOffline: boolean;
  /** Who is there already; undefined: a sign-in key is asked for. */
  readonly signedIn?: User;
}

/** A fault that is shown to the person: whoever sent them may not be the client, so they are sent nowhere. */
export type ConsentFault = 'client' | 'redirect-uri' | 'state' | 'suspended';

type RedirectError =
  | 'access_denied'
  | 'invalid_request'
  | 'invalid_scope'
  | 'unsupported_response_type'
  | 'temporarily_unavailable';

/** Where the person goes next, with what. */
export type ConsentEnd =
  | { readonly kind: 'granted'; readonly redirectUri: string; readonly code: string }
  | {
      readonly kind: 'refused';
      readonly redirectUri: string;
      readonly error: RedirectError;
      readonly description: string;
    };

type Opened =
  | { readonly kind: 'ask'; readonly question: ConsentQuestion }
  | { readonly kind: 'fault'; readonly fault: ConsentFault }
  | ConsentEnd;

interface NotSignedIn {
  readonly kind: 'not-signed-in';
  readonly question: ConsentQuestion;
  /** Undefined: the key is not known. Else too many wrong ones came, and it can be tried again after this time. */
  readonly waitMs?: number;
}

export interface Consent {
  open(request: ConsentRequest): Promise<Opened>;
  /** `key` is not asked for when somebody is signed in. `address`: where the person's requests come from. */
  allow(request: ConsentRequest, key: string, address: string): Promise<Opened | NotSignedIn>;
  deny(request: ConsentRequest): Promise<Opened>;
}

const MAX_STATE = 2048;

interface Read {
  readonly client: OAuthClient;
  readonly question: ConsentQuestion;
}

/** The consent page's decisions: who asks for what, who answers, and what follows. */
export function createConsent(
  { accounts, clients, policy }: OAuthParts,
  {
    makeGrant,
    signIn,
    signedIn,
  }: {
    readonly makeGrant: (input: GrantInput) => Promise<string>;
    readonly signIn: SignIn;
    readonly signedIn: { readonly orgId: OrgId; readonly userId: UserId } | undefined;
  },
): Consent {
  async function memberAtHand(org: OrgId): Promise<Membership | undefined> {
    if (signedIn?.orgId !== org) return undefined;
    const member = await accounts.findMember(org, signedIn.userId);
    return member && isActive(member.user) ? member : undefined;
  }

  const mayGoTo = ({ redirectUris }: OAuthClient, uri: string): boolean =>
    redirectUris.includes(uri) || (policy.allowsLoopback && isLoopbackUri(uri));

  async function read(request: ConsentRequest): Promise<Read | Exclude<Opened, { kind: 'ask' }>> {
    const { clientId, redirectUri, state = '' } = request;
    const client = clientId === undefined ? undefined : await clients.find(clientId);
    if (!client) return { kind: 'fault', fault: 'client' };
    if (redirectUri === undefined || !mayGoTo(client, redirectUri)) return { kind: 'fault', fault: 'redirect-uri' };
    if (state.length > MAX_STATE) return { kind: 'fault', fault: 'state' };
    const org = await accounts.findOrg(client.orgId);
    if (!org) return { kind: 'fault', fault: 'client' };
    if (org.suspendedAt !== undefined) return { kind: 'fault', fault: 'suspended' };
    const { responseType, accessType = 'online' } = request;
    if (responseType !== 'code') {
      return refused(redirectUri, 'unsupported_response_type', 'response_type must be code');
    }
    if (accessType !== 'online' && accessType !== 'offline') {
      return refused(redirectUri, 'invalid_request', 'access_type must be online or offline');
    }
    const asked = readScopes(request.scope ?? '');
    if ('fault' in asked) {
      const what = asked.fault === '' ? 'scope is missing' : `${asked.fault.slice(0, 100)} is no scope`;
      return refused(redirectUri, 'invalid_scope', what);
    }
    const member = await memberAtHand(org.id);
    return {
      client,
      question: {
        clientName: client.name,
        orgName: org.name,
        redirectUri,
        scopes: asked.scopes,
        isOffline: accessType === 'offline',
        ...(member && { signedIn: member.user }),
      },
    };
  }

  async function grant({ client, question }: Read, { org, user }: Membership): Promise<ConsentEnd> {
    requireOpen(org);
    const { redirectUri, scopes, isOffline } = question;
    try {
      const isOnline = !isOffline;
      const code = await makeGrant({
        clientId: client.id,
        orgId: org.id,
        userId: user.id,
        scopes,
        redirectUri,
        isOnline,
      });
      return { kind: 'granted', redirectUri, code };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'LIMIT_REACHED') throw error;
      return refused(redirectUri, 'temporarily_unavailable', error.message);
    }
  }

  return {
    async open(request) {
      const opened = await read(request);
      return 'question' in opened ? { kind: 'ask', question: opened.question } : opened;
    },

    async allow(request, key, address) {
      const opened = await read(request);
      if (!('question' in opened)) return opened;
      const { client, question } = opened;
      const atHand = await memberAtHand(client.orgId);
      if (atHand) return grant(opened, atHand);
      const signedIn = await signIn.check(client.orgId, key, address);
      if (signedIn.kind === 'known') return grant(opened, signedIn.member);
      return { ...signedIn, kind: 'not-signed-in', question };
    },

    async deny(request) {
      const opened = await read(request);
      if (!('question' in opened)) return opened;
      return refused(opened.question.redirectUri, 'access_denied', 'The person did not allow it');
    },
  };
}

const refused = (redirectUri: string, error: RedirectError, description: string): ConsentEnd => ({
  kind: 'refused',
  redirectUri,
  error,
  description,
});
