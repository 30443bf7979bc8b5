import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';

/** What a DNS server says of a name; `silence` is no answer at all. */
type DnsAnswer = readonly string[] | 'unknown' | 'failure' | 'silence';

export interface DnsServer {
  /** `address:port`. */
  readonly address: string;
  /** Names asked for, in the order in which they came, once for each type of record. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const TYPE_A = 1;
const TYPE_AAAA = 28;
const CODES = { found: 0, failure: 2, unknown: 3 } as const;

/** A DNS server on a free loopback port, by UDP. */
export async function startDnsServer(answer: (name: string) => DnsAnswer): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    asked.push(name);
    const says = answer(name);
    if (says === 'silence') return;
    const addresses = typeof says === 'string' ? [] : says.filter((text) => isIPv4(text) === (type === TYPE_A));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | CODES[typeof says === 'string' ? says : 'found'], 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((text) => record(type, text));
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Points at the question's name; not to be kept. */
function record(type: number, text: string): Buffer {
  const bytes =
    type === TYPE_AAAA
      ? Buffer.from(
          text
            .split(':')
            .map((group) => group.padStart(4, '0'))
            .join(''),
          'hex',
        )
      : Buffer.from(text.split('.').map(Number));
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
  return Buffer.concat([head, bytes]);
}
