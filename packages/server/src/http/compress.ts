import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { AppError } from '../domain/error.ts';

/** Characters or bytes; shorter answers fit in one packet anyway. */
const MIN_LENGTH = 1024;
/** Longer ones would hold too much memory beside themselves. */
const MAX_LENGTH = 16 * 1024 * 1024;
/** Answers being compressed at once; more are sent as they are, so that nobody waits for a thread. */
const MAX_AT_ONCE = 16;

const deflateGzip = promisify(gzip);
const deflateBrotli = promisify(brotliCompress);

const ENCODERS = {
  br: (text: Buffer) =>
    deflateBrotli(text, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 3,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
      },
    }),
  gzip: (text: Buffer) => deflateGzip(text, { level: 4 }),
} as const;

type Encoding = keyof typeof ENCODERS;

/** Compresses answers that are worth it for callers that can read them, and refuses bodies that are compressed. */
export function compressAnswers(app: FastifyInstance): void {
  let underWay = 0;

  app.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
    const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
    if (encoding === '' || encoding === 'identity') return done();
    throw new AppError('INVALID_DATA', 'A compressed body is not taken: send it without Content-Encoding', {
      header: 'Content-Encoding',
    });
  });

  async function compress(payload: string | Buffer, encoding: Encoding, reply: FastifyReply): Promise<Buffer> {
    underWay += 1;
    try {
      const compressed = await ENCODERS[encoding](Buffer.from(payload));
      reply.header('content-encoding', encoding).removeHeader('content-length');
      return compressed;
    } finally {
      underWay -= 1;
    }
  }

  app.addHook('onSend', (request, reply, payload, done) => {
    if (!isText(payload) || payload.length < MIN_LENGTH || isPrivate(reply)) return done();
    addVary(reply);
    const encoding = chooseEncoding(request.headers['accept-encoding']);
    if (!encoding || payload.length > MAX_LENGTH || underWay >= MAX_AT_ONCE) return done();
    compress(payload, encoding, reply).then((compressed) => done(null, compressed), done);
  });
}

/** A secret beside what a caller sent could be guessed from the length of both, compressed. */
const isPrivate = (reply: FastifyReply): boolean =>
  reply.hasHeader('set-cookie') || reply.hasHeader('content-encoding');

const isText = (payload: unknown): payload is string | Buffer =>
  typeof payload === 'string' || payload instanceof Buffer;

function addVary(reply: FastifyReply): void {
  const vary = reply.getHeader('vary');
  reply.header('vary', vary === undefined ? 'accept-encoding' : `${vary}, accept-encoding`);
}

/** What a caller reads best: the higher weight, of equal ones `br`. Undefined: neither (RFC 9110 §12.5.3). */
export function chooseEncoding(accepted: string | undefined): Encoding | undefined {
  if (accepted === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const item of accepted.split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const weight = given === undefined ? 1 : Number(given);
    if (name !== '') weights.set(name, weight >= 0 && weight <= 1 ? weight : 0);
  }
  const weightOf = (name: Encoding) => weights.get(name) ?? weights.get('*') ?? 0;
  const [br, gz] = [weightOf('br'), weightOf('gzip')];
  if (br === 0 && gz === 0) return undefined;
  return br >= gz ? 'br' : 'gzip';
}
