/** What clients asked of a server, by the messages they sent. */
export interface WireCounts {
  /** Statements that were executed, by their texts. */
  readonly statements: ReadonlyMap<string, number>;
  /** Batches that were waited for: each is a round trip. */
  readonly trips: number;
}

export interface WireCounter {
  /** To be called for each connection; what it answers, for all that the client sends on it. */
  follow(): (sent: Buffer) => void;
  /** Since the last call. */
  take(): WireCounts;
}

/** Length, then a code in the place of the protocol's version, when a client asks for encryption. */
const SSL_REQUEST = 80877103;

export function createWireCounter(): WireCounter {
  let statements = new Map<string, number>();
  let trips = 0;

  const count = (text: string) => {
    const known = text.replace(/\s+/g, ' ').trim();
    statements.set(known, (statements.get(known) ?? 0) + 1);
  };

  return {
    follow() {
      const texts = new Map<string, string>();
      let bound = '';
      let isStarted = false;
      let rest: Buffer = Buffer.alloc(0);

      function read(type: string, body: Buffer): void {
        if (type === 'P') {
          const end = body.indexOf(0);
          texts.set(body.toString('utf8', 0, end), body.toString('utf8', end + 1, body.indexOf(0, end + 1)));
        } else if (type === 'B') {
          const end = body.indexOf(0) + 1;
          bound = body.toString('utf8', end, body.indexOf(0, end));
        } else if (type === 'E') count(texts.get(bound) ?? bound);
        else if (type === 'S') trips += 1;
        else if (type === 'Q') {
          count(body.toString('utf8', 0, body.length - 1));
          trips += 1;
        }
      }

      return (sent) => {
        rest = rest.length === 0 ? sent : Buffer.concat([rest, sent]);
        for (;;) {
          // The first message has no type.
          const head = isStarted ? 1 : 0;
          if (rest.length < head + 4) return;
          const length = rest.readUInt32BE(head);
          if (rest.length < head + length) return;
          if (isStarted) read(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, 1 + length));
          else isStarted = rest.readUInt32BE(4) !== SSL_REQUEST;
          rest = rest.subarray(head + length);
        }
      };
    },
    take() {
      const taken = { statements, trips };
      statements = new Map();
      trips = 0;
      return taken;
    },
  };
}
