/**
 * Signatures of notifications as Standard Webhooks has them: `webhook-signature: v1,<base64>`, the HMAC-SHA256 of
 * `<webhook-id>.<webhook-timestamp>.<body>`. While a secret is rotated there are two, with a blank between.
 */

/** A notification as it is signed. */
export interface SignedContent {
  /** The header `webhook-id`. */
  readonly id: string;
  /** The header `webhook-timestamp`: seconds since 1970. */
  readonly timestamp: number;
  /** Exactly the bytes that are sent, or were received. Parsed and written again they may differ. */
  readonly body: string | Uint8Array;
}

/** As `fetch`, `node:http` and the frameworks have them; letter case of plain names does not matter. */
export type ReceivedHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** Milliseconds since 1970; the system's clock when absent. */
  readonly now?: number;
  /** Seconds that the timestamp may lie before or after `now`; 300 when absent. */
  readonly tolerance?: number;
}

/** What a genuine notification says of itself. Keep the id: it is the same on every attempt. */
export interface Verified {
  readonly id: string;
  /** When this attempt was made: seconds since 1970. */
  readonly timestamp: number;
}

/** The request is not a genuine notification of now. Answer it with 4xx and do nothing else. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  /**
   * `MISSING_HEADER`: one of the three headers is not there, or more than once; `BAD_TIMESTAMP`: no number of seconds;
   * `TOO_OLD`, `TOO_NEW`: beyond the tolerance; `NO_MATCH`: no signature was made by any of the secrets.
   */
  readonly code: 'MISSING_HEADER' | 'BAD_TIMESTAMP' | 'TOO_OLD' | 'TOO_NEW' | 'NO_MATCH';

  constructor(code: SignatureError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const TOLERANCE_SECONDS = 300;
/** Of one request; a sender that rotates has two. */
const MAX_SIGNATURES = 20;
const PREFIX = 'v1,';
const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' } as const;

/** The value of `webhook-signature`: one signature for each secret (`whsec_…`). Throws a `TypeError` for what is none. */
export async function sign(content: SignedContent, secrets: string | readonly string[]): Promise<string> {
  const signed = signedBytes(content.id, String(content.timestamp), content.body);
  const signatures = listOf(secrets).map(async (secret) => {
    const signature = await crypto.subtle.sign('HMAC', await importKey(secret, 'sign'), signed);
    return PREFIX + toBase64(new Uint8Array(signature));
  });
  return (await Promise.all(signatures)).join(' ');
}

/**
 * Says that a request was sent by who has one of the secrets, just now. `body` is the raw one. Throws `SignatureError` when
 * it was not, a `TypeError` for a secret that is none. Signatures are compared in constant time.
 */
export async function verify(
  body: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  { now = Date.now(), tolerance = TOLERANCE_SECONDS }: VerifyOptions = {},
): Promise<Verified> {
  const keys = await Promise.all(listOf(secrets).map((secret) => importKey(secret, 'verify')));
  const header = (name: string): string => {
    const value = read(headers, name);
    if (value !== undefined && value !== '') return value;
    throw new SignatureError('MISSING_HEADER', `The request has not just one header ${name}`);
  };
  const id = header('webhook-id');
  const at = header('webhook-timestamp');
  const signatures = header('webhook-signature')
    .split(' ', MAX_SIGNATURES)
    .flatMap((part) => (part.startsWith(PREFIX) ? (fromBase64(part.slice(PREFIX.length)) ?? []) : []));

  if (!/^\d{1,12}$/.test(at))
    throw new SignatureError('BAD_TIMESTAMP', 'The webhook-timestamp is no number of seconds');
  const timestamp = Number(at);
  const seconds = Math.floor(now / 1000);
  if (seconds - timestamp > tolerance) throw new SignatureError('TOO_OLD', 'The webhook-timestamp is too long ago');
  if (timestamp - seconds > tolerance) throw new SignatureError('TOO_NEW', 'The webhook-timestamp is in the future');

  const signed = signedBytes(id, at, body);
  for (const key of keys) {
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return { id, timestamp };
    }
  }
  throw new SignatureError('NO_MATCH', 'No signature of the request was made by a secret that is known here');
}

const listOf = (secrets: string | readonly string[]): readonly string[] => {
  const list = typeof secrets === 'string' ? [secrets] : secrets;
  if (list.length === 0) throw new TypeError('Name at least one secret');
  return list;
};

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

async function importKey(secret: string, use: 'sign' | 'verify'): Promise<CryptoKey> {
  const bytes = fromBase64(SECRET.exec(secret)?.[1] ?? '');
  if (!bytes || bytes.length < LEAST_BYTES || bytes.length > MOST_BYTES) {
    throw new TypeError(`A secret is whsec_ and the base64 of ${LEAST_BYTES} to ${MOST_BYTES} bytes`);
  }
  return crypto.subtle.importKey('raw', bytes, ALGORITHM, false, [use]);
}

function read(headers: ReceivedHeaders, name: string): string | undefined {
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const found = Object.keys(headers).filter((key) => key.toLowerCase() === name && headers[key] !== undefined);
  const values = found.flatMap((key) => headers[key] ?? []);
  return values.length === 1 ? values[0] : undefined;
}

/** Also of another library than this runtime's own. */
const isHeaders = (headers: ReceivedHeaders): headers is Headers => typeof headers.get === 'function';

function signedBytes(id: string, timestamp: string, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError('The body must be the text or the bytes that were sent, not what was parsed from them');
  }
  const encoder = new TextEncoder();
  const head = encoder.encode(`${id}.${timestamp}.`);
  const content = typeof body === 'string' ? encoder.encode(body) : body;
  const bytes = new Uint8Array(head.length + content.length);
  bytes.set(head);
  bytes.set(content, head.length);
  return bytes;
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
