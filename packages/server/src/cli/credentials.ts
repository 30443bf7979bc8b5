import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, type Credentials, createClient } from '@watchbell/client';
import { CliError } from './errors.ts';

/** How a command that talks to a server is told which one, and as whom. */
export interface CredentialOptions {
  readonly dataDir: string;
  /** A file of the shape of `credentials.json`. */
  readonly credentials?: string;
  readonly base?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly refreshToken?: string;
}

export type SignIn = Omit<Credentials, 'admin_token'>;

const KEYS = ['base', 'client_id', 'client_secret', 'refresh_token'] as const;

/** What was named in options; for the rest, the file. Throws `CliError` that says what is missing. */
export async function readCredentials(options: CredentialOptions): Promise<SignIn> {
  const named = {
    ...(options.base !== undefined && { base: options.base }),
    ...(options.clientId !== undefined && { client_id: options.clientId }),
    ...(options.clientSecret !== undefined && { client_secret: options.clientSecret }),
    ...(options.refreshToken !== undefined && { refresh_token: options.refreshToken }),
  };
  const isComplete = KEYS.every((key) => key in named);
  const found = isComplete ? {} : await readCredentialsFile(credentialsFile(options));
  return checked({ ...found, ...named }, credentialsFile(options));
}

const credentialsFile = ({ credentials, dataDir }: CredentialOptions): string =>
  credentials ?? join(dataDir, 'credentials.json');

async function readCredentialsFile(path: string): Promise<object> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'is not there' : 'is unreadable';
    throw new CliError(
      `The credentials file ${path} ${why}. Start a server with "watchbell dev", name a file with --credentials, ` +
        'or give --base, --client-id, --client-secret and --refresh-token.',
      1,
      { cause: error },
    );
  });
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below: broken JSON and JSON of another shape are the same to the reader.
  }
  throw new CliError(`The credentials file ${path} does not hold a JSON object.`);
}

function checked(value: Readonly<Record<string, unknown>>, path: string): SignIn {
  const text = (key: (typeof KEYS)[number]): string => {
    const given = value[key];
    if (typeof given === 'string' && given !== '') return given;
    throw new CliError(`No ${key}: neither in ${path} nor as --${key.replace('_', '-')}.`);
  };
  return {
    base: checkedBase(text('base')),
    client_id: text('client_id'),
    client_secret: text('client_secret'),
    refresh_token: text('refresh_token'),
  };
}

/** Without closing slashes. Throws `CliError` when it is no address of a server. */
export function checkedBase(base: string): string {
  if (!/^https?:$/.test(URL.canParse(base) ? new URL(base).protocol : '')) {
    throw new CliError(`"${base}" is not the base of a server, such as http://127.0.0.1:8686.`);
  }
  return base.replace(/\/+$/, '');
}

export function clientFor({ base, client_id, client_secret, refresh_token }: SignIn): Client {
  return createClient({ base, clientId: client_id, clientSecret: client_secret, refreshToken: refresh_token });
}
