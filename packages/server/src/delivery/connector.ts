import type { LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { sameAddress } from '../domain/addresses.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { addressOf, Forbidden, type Guard, portOf, unbracketed } from './guard.ts';

/** What went wrong before a connection stood. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
  readonly stage: 'dns' | 'connect' | 'tls';

  constructor(stage: ConnectFailed['stage'], message: string, cause?: unknown) {
    super(message, { cause });
    this.stage = stage;
  }
}

/** Is given the first `length` of these bytes, which are good until it returns. */
export type TakeBytes = (bytes: Uint8Array, length: number) => void;

/** Connects to an origin; `take` gets what comes from there, from the first byte on. */
export type Connector = (origin: URL, take: TakeBytes) => Promise<Socket>;

/** TLS sessions that can be taken up again, by host. */
type Sessions = Map<string, Buffer>;
const MAX_SESSIONS = 100;

/**
 * Opens connections to vetted addresses only: one look-up, every address of it judged, one of those connected to, and the
 * address at the other end held against them before a byte is sent. The time is for all of it, TLS included.
 */
export function createConnector(guard: Guard, { connectTimeout }: Pick<DeliveryPolicy, 'connectTimeout'>): Connector {
  const sessions: Sessions = new Map();
  return (origin, take) => open(origin, take, guard, sessions, connectTimeout);
}

async function open(origin: URL, take: TakeBytes, guard: Guard, sessions: Sessions, timeout: number): Promise<Socket> {
  const host = unbracketed(origin.hostname);
  const isSecure = origin.protocol === 'https:';
  const over = new AbortController();
  let stage: ConnectFailed['stage'] = 'dns';
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      over.abort();
      socket?.destroy();
      reject(new ConnectFailed(stage, `No connection within ${timeout} ms`));
    }, timeout);
  });

  async function steps(): Promise<Socket> {
    const refused = guard.judge(origin);
    if (refused) throw new Forbidden(refused);
    const vetted = await found(guard.find(host, over.signal));
    if (over.signal.aborted) throw new ConnectFailed(stage, 'Too late');
    stage = 'connect';
    socket = dial(host, portOf(origin), vetted, isSecure ? undefined : take);
    await connected(socket);
    checkOtherEnd(socket, vetted);
    if (!isSecure) return socket;
    stage = 'tls';
    const upgraded = await secured(host, sessions, socket);
    upgraded.on('data', (chunk: Buffer) => take(chunk, chunk.length));
    return upgraded;
  }

  try {
    return await Promise.race([steps(), timedOut]);
  } catch (error) {
    socket?.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function found(looking: Promise<readonly LookupAddress[]>): Promise<readonly LookupAddress[]> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof Forbidden) throw error;
    throw new ConnectFailed('dns', error instanceof Error ? error.message : 'Look-up failed', error);
  }
}

/** Where all plain connections are read to, one after another. */
const inbox = Buffer.allocUnsafeSlow(64 * 1024);

/** Tries the vetted addresses one after another; none is looked up again. */
function dial(host: string, port: number, vetted: readonly LookupAddress[], take: TakeBytes | undefined): Socket {
  const pinned: LookupFunction = (_host, { all }, done) => {
    const [first] = vetted;
    if (all || !first) done(null, [...vetted]);
    else done(null, first.address, first.family);
  };
  const onread = take && {
    buffer: inbox,
    callback(length: number): boolean {
      take(inbox, length);
      return true;
    },
  };
  const socket = connect({ host, port, lookup: pinned, autoSelectFamily: true, ...(onread && { onread }) });
  return socket.setNoDelay(true).setKeepAlive(true, 60_000);
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays, as a connection can break at any time: whoever uses the socket hears of it as well.
    socket.on('error', reject);
    socket.once('connect', resolve);
  });
}

function checkOtherEnd({ remoteAddress }: Socket, vetted: readonly LookupAddress[]): void {
  // Already broken.
  if (remoteAddress === undefined) throw Object.assign(new Error('Connection was reset'), { code: 'ECONNRESET' });
  const end = addressOf(remoteAddress);
  const isVetted = end && vetted.some(({ address }) => sameAddress(addressOf(address) ?? [], end));
  if (!isVetted) throw new Forbidden({ address: remoteAddress, reason: 'unvetted' });
}

function secured(host: string, sessions: Sessions, socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(Object.assign(new Error('Connection was closed'), { code: 'ECONNRESET' })));
    const upgraded = connectSecurely({
      socket,
      host,
      servername: isIP(host) === 0 ? host : '',
      session: sessions.get(host),
      ALPNProtocols: ['http/1.1'],
    });
    upgraded.on('session', (session) => {
      sessions.delete(host);
      sessions.set(host, session);
      for (const [oldest] of sessions) {
        if (sessions.size <= MAX_SESSIONS) break;
        sessions.delete(oldest);
      }
    });
    // Stays, as above.
    upgraded.on('error', reject);
    upgraded.once('secureConnect', () => resolve(upgraded));
  });
}
