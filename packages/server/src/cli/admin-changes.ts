import { createHash } from 'node:crypto';
import { ApiError, type ExternalChange, type Json, type TakenChange } from '@watchbell/client';
import { type Command, InvalidArgumentError } from 'commander';
import { declareNoun, type Session } from './admin-verb.ts';
import { assignment } from './arguments.ts';
import { batchesOf, type ChangeLine, parseExactly } from './change-file.ts';
import type { Run } from './declare.ts';
import { CliError } from './errors.ts';
import { note } from './output.ts';
import { patiently } from './patience.ts';
import type { Environment } from './settings.ts';
import type { Assignment } from './trigger.ts';

interface SendOptions {
  readonly file?: string;
  readonly module?: string;
  readonly operation?: ExternalChange['operation'];
  readonly id?: string;
  readonly field: readonly Assignment[];
  readonly values?: Readonly<Record<string, Json>>;
  readonly changed: readonly string[];
  readonly by?: string;
  readonly key?: string;
}

/** How often the progress of a file is told. */
const CALLS_PER_NOTE = 20;

/** `watchbell changes send` */
export function declareChanges(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'changes', 'Changes of records that live elsewhere.', run, env);

  verb<SendOptions>('send', {
    description:
      'Tell of a change of one record of an external module, or of all changes in a file: one JSON object a line, as ' +
      '{"module":"Orders","operation":"update","records":[{"id":"A-1","values":{"Stage":"Paid"}}]}. A file that was ' +
      'sent in part is simply sent again: what was taken within 24 hours is not taken twice.',
    options: (command) =>
      command
        .option('--file <path>', 'file of changes, JSON Lines; - is standard input')
        .option('--module <name>', 'API name of an external module')
        .option('--operation <name>', 'insert, update or delete', operation)
        .option('--id <id>', 'id of the record')
        .option('--field <Name=text>', 'value of a field, by API name; nothing empties it (repeatable)', assignment, [])
        .option('--values <json>', 'values that are no text, as a JSON object', values)
        .option(
          '--changed <name>',
          'field that an update changed; all that are given when absent (repeatable)',
          more,
          [],
        )
        .option('--by <user>', 'id of the user who made the change; nobody when absent')
        .option('--key <text>', 'idempotency key; with a file, a name for this sending of it'),
    examples: [
      '--module Orders --operation update --id A-1 --field Stage=Paid',
      '--module Orders --operation insert --id A-2 --field Stage=New --values \'{"Total":12.5}\'',
      '--file changes.jsonl',
    ],
    work: (session, _, options) =>
      options.file === undefined ? sendOne(session, options) : sendFile(session, options.file, options),
  });
}

function operation(text: string): ExternalChange['operation'] {
  if (text === 'insert' || text === 'update' || text === 'delete') return text;
  throw new InvalidArgumentError('An operation is insert, update or delete.');
}

const more = (text: string, before: readonly string[]): readonly string[] => [...before, text];

function values(text: string): object {
  try {
    const value = parseExactly(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    if (error instanceof CliError) throw new InvalidArgumentError(error.message);
  }
  throw new InvalidArgumentError('It must be a JSON object.');
}

async function sendOne(session: Session, options: SendOptions): Promise<object> {
  const { module, operation, id, field, changed, by, key } = options;
  if (module === undefined || operation === undefined || id === undefined) {
    throw new CliError('Name the change with --module, --operation and --id, or a file with --file.', 2);
  }
  const given = {
    ...options.values,
    ...Object.fromEntries(field.map(({ field: name, value }) => [name, value === '' ? null : value])),
  };
  const record = {
    id,
    ...(Object.keys(given).length > 0 && { values: given }),
    ...(changed.length > 0 && { fields: changed }),
  };
  const change: ExternalChange = { module, operation, records: [record] };
  const [taken] = await session.admin.changes.send(await session.org(), [change], {
    ...(by !== undefined && { by }),
    ...(key !== undefined && { idempotencyKey: key }),
  });
  return { ...taken };
}

async function sendFile(session: Session, path: string, options: SendOptions): Promise<object> {
  const { by, key = '' } = options;
  const alone = ['module', 'operation', 'id', 'values'] as const;
  if (alone.some((name) => options[name] !== undefined) || options.field.length > 0 || options.changed.length > 0) {
    throw new CliError('A file says all of its changes: --file goes with --by and --key only.', 2);
  }
  const org = await session.org();
  const sum = { calls: 0, changes: 0, records: 0, notifications: 0 };
  let [first, last]: (number | null)[] = [null, null];

  function add(taken: readonly TakenChange[]): void {
    sum.calls += 1;
    sum.changes += taken.length;
    for (const { number, records, notifications } of taken) {
      sum.records += records;
      sum.notifications += notifications;
      first ??= number;
      last = number ?? last;
    }
    if (sum.calls % CALLS_PER_NOTE === 0) note(`${sum.changes} changes sent`);
  }

  /**
   * Each call has a key made of its first line, so that sending the file again repeats none of it: also where a part was
   * halved the first time, since whoever sends more or less under a key is refused.
   */
  async function send(lines: readonly ChangeLine[]): Promise<void> {
    const [{ number, text } = { number: 0, text: '' }] = lines;
    const idempotencyKey = createHash('sha256')
      .update(`${key}\n${by ?? ''}\n${number}\n${text}\n`)
      .digest('hex');
    const changes = lines.map(({ change }) => change);
    try {
      add(
        await patiently(`line ${number}`, () =>
          session.admin.changes.send(org, changes, { idempotencyKey, ...(by !== undefined && { by }) }),
        ),
      );
    } catch (error) {
      if (!isForFewer(error)) throw error;
      if (lines.length === 1) throw notTheSame(number, error);
      const half = Math.ceil(lines.length / 2);
      await send(lines.slice(0, half));
      await send(lines.slice(half));
    }
  }

  for await (const lines of batchesOf(path)) await send(lines);
  return { ...sum, first_number: first ?? null, last_number: last ?? null };
}

/** Of one alone it is always its key that is refused. */
const notTheSame = (line: number, cause: unknown): CliError =>
  new CliError(
    `Line ${line} was sent within 24 hours, with other lines after it: this is not the file that was sent. ` +
      'Send what is new as a file of its own, or all of it once more under another --key.',
    1,
    { cause },
  );

/** They may be owed to too many together, or were not sent together the first time. */
function isForFewer(error: unknown): boolean {
  const cause = error instanceof CliError ? error.cause : undefined;
  if (!(cause instanceof ApiError)) return false;
  return cause.code === 'LIMIT_EXCEEDED' || cause.details.api_name === 'Idempotency-Key';
}
