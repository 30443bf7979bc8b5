import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** Keeps texts that must be sent again: AES-256-GCM, each bound to the place where it is stored, and naming its key. */
export interface Cipher {
  /** Names the key under which everything is sealed from now on. */
  readonly keyId: string;
  seal(text: string, place: Place): string;
  /** Throws when the key is not here, or the place is not the one it was sealed for. */
  open(sealed: string, place: Place): string;
  /** Whether it can open what was sealed under this key. */
  knows(keyId: string): boolean;
  /** Whether it was sealed under the present key. */
  isCurrent(sealed: string): boolean;
}

/** 32 bytes each. */
export interface SecretKeys {
  /** Everything is sealed under it. */
  readonly key: Uint8Array;
  /** What is still sealed under them can be opened. */
  readonly former: readonly Uint8Array[];
}

/** Where a sealed text belongs: it cannot be moved to another row or column. */
export type Place = readonly string[];

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_KEY_BYTES = 32;
/** Hexadecimal digits of a key's name: tells a few keys apart and says next to nothing about them. */
const KEY_ID_DIGITS = 8;

/** Seals under `key` (32 bytes); what was sealed under one of the `former` keys is opened as well. */
export function createCipher(key: Uint8Array, former: readonly Uint8Array[] = []): Cipher {
  for (const { length } of [key, ...former]) {
    if (length !== SECRET_KEY_BYTES) {
      throw new RangeError(`A secret key must have ${SECRET_KEY_BYTES} bytes, not ${length}`);
    }
  }
  const keyId = keyIdOf(key);
  const keys = new Map([...former, key].map((one) => [keyIdOf(one), one]));
  return {
    keyId,
    seal(text, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated(place));
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${keyId}.${sealed.toString('base64url')}`;
    },
    open(sealed, place) {
      const [version, id = '', body = ''] = sealed.split('.', 3);
      const bytes = Buffer.from(body, 'base64url');
      if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES) {
        throw new Error('A stored secret has a form that this version does not know');
      }
      const known = keys.get(id);
      if (!known) throw new Error(`A stored secret is sealed under the key ${id}, which is not given`);
      const decipher = createDecipheriv(ALGORITHM, known, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(associated(place))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const open = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([open, decipher.final()]).toString('utf8');
    },
    knows: (id) => keys.has(id),
    isCurrent: (sealed) => sealed.startsWith(`${VERSION}.${keyId}.`),
  };
}

/** A name for a key that may be stored and logged. */
const keyIdOf = (key: Uint8Array): string =>
  createHash('sha256').update('watchbell key id').update(key).digest('hex').slice(0, KEY_ID_DIGITS);

const associated = (place: Place): Buffer => Buffer.from(JSON.stringify([VERSION, ...place]));
