import type { Client, Connection, Submittable } from 'pg';

/** What the driver calls while one statement runs; its types do not have it. */
interface Statement extends Submittable {
  handleRowDescription(): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handleCopyInResponse(connection: CopyConnection): void;
  handleCommandComplete(): void;
  handleEmptyQuery(): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

interface Handlers {
  readonly onRow?: (fields: readonly (string | null)[]) => void;
  readonly chunks?: Iterable<Uint8Array>;
}

/** Runs `COPY … FROM STDIN`. A chunk is taken when the one before it is on its way. */
export const copyIn = (client: Client, text: string, chunks: Iterable<Uint8Array>): Promise<void> =>
  run(client, text, { chunks });

/** Runs a query and hands over row by row as they come, values as text; none is kept. */
export const eachRow = (
  client: Client,
  text: string,
  onRow: (fields: readonly (string | null)[]) => void,
): Promise<void> => run(client, text, { onRow });

function run(client: Client, text: string, { onRow, chunks }: Handlers): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    /** Of the sender, while it waits for room. */
    let wake: () => void = () => {};

    function fail(error: unknown): void {
      failure ??= error instanceof Error ? error : new Error(String(error));
      wake();
    }

    async function send(connection: CopyConnection): Promise<void> {
      try {
        for (const chunk of chunks ?? []) {
          connection.sendCopyFromChunk(chunk);
          if (connection.stream.writableNeedDrain) {
            await new Promise<void>((ready) => {
              wake = ready;
              connection.stream.once('drain', ready);
            });
          }
          if (failure) return;
        }
        connection.endCopyFrom();
      } catch (error) {
        fail(error);
        connection.sendCopyFail('the sender failed');
      }
    }

    const statement: Statement = {
      submit: (connection) => connection.query(text),
      handleRowDescription() {},
      handleDataRow({ fields }) {
        if (failure) return;
        try {
          onRow?.(fields);
        } catch (error) {
          fail(error);
        }
      },
      handleCopyInResponse(connection) {
        void send(connection);
      },
      handleCommandComplete() {},
      handleEmptyQuery() {},
      handleReadyForQuery() {
        if (failure) reject(failure);
        else resolve();
      },
      // After an error of the statement the driver is ready for the next one by itself; after one of the connection never.
      handleError(error) {
        fail(error);
        reject(failure);
      },
    };
    client.query(statement);
  });
}

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of COPY's text format. */
export const copyLine = (values: readonly (string | null)[]): string =>
  `${values.map((value) => (value === null ? '\\N' : escaped(value))).join('\t')}\n`;

const escaped = (value: string): string =>
  /[\\\n\r\t]/.test(value) ? value.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPED[character] ?? character) : value;
