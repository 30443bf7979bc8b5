import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Keeps texts that must be sent again: AES-256-GCM, each bound to the place where it is stored. */
export interface Cipher {
  seal(text: string, place: Place): string;
  /** Throws when the key or the place is not the one it was sealed under. */
  open(sealed: string, place: Place): string;
}

/** Where a sealed text belongs: it cannot be moved to another row or column. */
export type Place = readonly string[];

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_KEY_BYTES = 32;

export function createCipher(key: Uint8Array): Cipher {
  if (key.length !== SECRET_KEY_BYTES) {
    throw new RangeError(`The secret key must have ${SECRET_KEY_BYTES} bytes, not ${key.length}`);
  }
  return {
    seal(text, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated(place));
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${sealed.toString('base64url')}`;
    },
    open(sealed, place) {
      const [version, body] = sealed.split('.', 2);
      const bytes = Buffer.from(body ?? '', 'base64url');
      if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES) {
        throw new Error('A stored secret has a form that this version does not know');
      }
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(associated(place))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const open = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([open, decipher.final()]).toString('utf8');
    },
  };
}

const associated = (place: Place): Buffer => Buffer.from(JSON.stringify([VERSION, ...place]));
