import type { LookupAddress } from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { sameAddress } from '../domain/addresses.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { addressOf, Forbidden, type Guard, portOf } from './guard.ts';

type Options = Parameters<buildConnector.connector>[0];

/** What went wrong before a connection stood. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
  readonly stage: 'dns' | 'connect' | 'tls';

  constructor(stage: ConnectFailed['stage'], message: string, cause?: unknown) {
    super(message, { cause });
    this.stage = stage;
  }
}

/**
 * Opens connections to vetted addresses only: one look-up, every address of it judged, one of those connected to, and the
 * address at the other end held against them before a byte is sent. The time is for all of it, TLS included.
 */
export function createConnector(
  guard: Guard,
  { connectTimeout, maxAnswer }: Pick<DeliveryPolicy, 'connectTimeout' | 'maxAnswer'>,
): buildConnector.connector {
  // Time is kept here, and sockets come from here.
  const secure = buildConnector({ timeout: 0 });
  return (options, done) => {
    open(options, guard, secure, connectTimeout).then(
      (socket) => {
        limitAnswers(socket, maxAnswer * OVERHEAD);
        done(null, socket);
      },
      (error) => done(error, null),
    );
  };
}

/** How much longer than its body an answer may be: status line, headers, chunks. */
const OVERHEAD = 4;

/** Closes a connection on which more than `max` bytes come after what was sent last: not all of them reach the handler. */
function limitAnswers(socket: Socket, max: number): void {
  let sent = socket.bytesWritten;
  let start = socket.bytesRead;
  socket.on('readable', () => {
    if (socket.bytesWritten !== sent) {
      sent = socket.bytesWritten;
      start = socket.bytesRead;
    }
    if (socket.bytesRead - start > max) socket.destroy(new Error('The answer is too long'));
  });
}

async function open(
  options: Options,
  guard: Guard,
  secure: buildConnector.connector,
  timeout: number,
): Promise<Socket> {
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
    const url = new URL(`${options.protocol}//${options.host ?? options.hostname}`);
    const refused = guard.judge(url);
    if (refused) throw new Forbidden(refused);
    const vetted = await found(guard.find(options.hostname, over.signal));
    if (over.signal.aborted) throw new ConnectFailed(stage, 'Too late');
    stage = 'connect';
    socket = dial(options.hostname, portOf(url), vetted);
    await connected(socket);
    checkOtherEnd(socket, vetted);
    if (options.protocol !== 'https:') return socket;
    stage = 'tls';
    return secured(secure, options, socket);
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

/** Tries the vetted addresses one after another; none is looked up again. */
function dial(host: string, port: number, vetted: readonly LookupAddress[]): Socket {
  const pinned: LookupFunction = (_host, { all }, done) => {
    const [first] = vetted;
    if (all || !first) done(null, [...vetted]);
    else done(null, first.address, first.family);
  };
  const socket = connect({ host, port, lookup: pinned, autoSelectFamily: true });
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

function secured(secure: buildConnector.connector, options: Options, socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(Object.assign(new Error('Connection was closed'), { code: 'ECONNRESET' })));
    secure({ ...options, httpSocket: socket }, (error, upgraded) => {
      if (error) reject(error);
      else resolve(upgraded);
    });
  });
}
