import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ExternalChange } from '@watchbell/client';
import { CliError } from './errors.ts';

/** Changes of a file that are sent in one call. */
export interface Batch {
  readonly changes: readonly ExternalChange[];
  /** Of its first change, from 1. */
  readonly line: number;
  /** The lines themselves. */
  readonly text: string;
}

const MAX_CHANGES = 100;
const MAX_RECORDS = 1000;
/** Half of what a server takes by default, in characters. */
const MAX_TEXT = 524_288;

/** Reads a file of one change a line, step by step; the same file always comes in the same batches. `-`: standard input. */
export async function* batchesOf(path: string): AsyncGenerator<Batch> {
  let batch: { changes: ExternalChange[]; line: number; text: string; records: number } | undefined;
  let number = 0;
  for await (const line of path === '-' ? createInterface({ input: process.stdin }) : await linesOf(path)) {
    number += 1;
    if (line.trim() === '') continue;
    const change = readChange(line, number);
    const records = Array.isArray(change.records) ? change.records.length : 0;
    const isFull =
      batch &&
      (batch.changes.length >= MAX_CHANGES ||
        batch.records + records > MAX_RECORDS ||
        batch.text.length + line.length > MAX_TEXT);
    if (batch && isFull) {
      yield batch;
      batch = undefined;
    }
    batch ??= { changes: [], line: number, text: '', records: 0 };
    batch.changes.push(change);
    batch.records += records;
    batch.text += `${line}\n`;
  }
  if (batch) yield batch;
}

async function linesOf(path: string): Promise<AsyncIterable<string>> {
  try {
    return (await open(path)).readLines();
  } catch (cause) {
    throw new CliError(`The file ${path} cannot be read.`, 1, { cause });
  }
}

/** What it holds, the server judges; but a number that this program would round must not be sent as another. */
function readChange(line: string, number: number): ExternalChange {
  let value: unknown;
  try {
    value = JSON.parse(line, (_key, inner: unknown) => {
      if (typeof inner === 'number' && Number.isInteger(inner) && !Number.isSafeInteger(inner)) {
        throw new CliError(`Line ${number} has a whole number beyond 2^53: give it as text.`);
      }
      return inner;
    });
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`Line ${number} is no JSON: ${line.slice(0, 80)}`, 1, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ExternalChange;
  throw new CliError(`Line ${number} is no JSON object: ${line.slice(0, 80)}`);
}
