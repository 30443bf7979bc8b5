import { type Client, expectSuccess, type FieldInfo, type Json, type RecordValues } from '@watchbell/client';
import { type CredentialOptions, clientFor, readCredentials } from './credentials.ts';
import { CliError, type ExitCode } from './errors.ts';
import { print, printJson } from './output.ts';
import { type Count, edit, mandatory, newRecord } from './sample-values.ts';

export type TriggerOperation = 'create' | 'edit' | 'delete';

/** A field and the text given for it. */
export interface Assignment {
  readonly field: string;
  readonly value: string;
}

export interface TriggerOptions extends CredentialOptions {
  readonly id?: string;
  readonly set: readonly Assignment[];
  /** How many changes, one call each. */
  readonly count: number;
  readonly json?: boolean;
}

interface Made {
  readonly module: string;
  readonly operation: TriggerOperation;
  readonly id: string;
  readonly values: RecordValues;
}

/** Makes changes through the API, so that whoever watches the module is notified of them. */
export async function trigger(module: string, operation: TriggerOperation, options: TriggerOptions): Promise<ExitCode> {
  if (module === 'users') throw new CliError('users are no records; change them with: watchbell users');
  const client = clientFor(await readCredentials(options));
  const fields = operation === 'delete' ? [] : await client.settings.fields(module);
  const given = assignedValues(module, fields, options.set);
  // Starts anywhere, so that the values of two runs differ.
  let turn = Date.now() % 1_000_000;
  const count: Count = () => turn++;
  for (let made = 0; made < options.count; made += 1) {
    report(await change(client, { module, operation, id: options.id, given, fields, count }), options.json === true);
  }
  return 0;
}

interface Wanted {
  readonly module: string;
  readonly operation: TriggerOperation;
  readonly id: string | undefined;
  readonly given: RecordValues;
  readonly fields: readonly FieldInfo[];
  readonly count: Count;
}

async function change(client: Client, { module, operation, given, fields, count, ...wanted }: Wanted): Promise<Made> {
  if (operation === 'create') {
    const values = newRecord(fields, { ...(await mandatoryLookups(client, fields, given)), ...given }, count);
    const [created] = expectSuccess(await client.records.create(module, [values]));
    return { module, operation, id: created?.id ?? '', values };
  }
  const current = await findRecord(client, module, wanted.id);
  if (operation === 'delete') {
    expectSuccess(await client.records.delete(module, [current.id]));
    return { module, operation, id: current.id, values: {} };
  }
  const values = Object.keys(given).length > 0 ? given : edit(fields, current, count);
  if (!values) throw new CliError(`${module} has no field that can be made up; give one with --set Field=Value.`);
  expectSuccess(await client.records.update(module, [{ ...values, id: current.id }]));
  return { module, operation, id: current.id, values };
}

/** Where a lookup to any module looks for a record, in this order. */
const LIKELY_TARGETS = ['Contacts', 'Leads', 'Accounts', 'Deals'];

/** Each mandatory lookup that was not given, pointing at the newest record of its module. */
async function mandatoryLookups(
  client: Client,
  fields: readonly FieldInfo[],
  given: RecordValues,
): Promise<RecordValues> {
  const found: Record<string, Json> = {};
  for (const field of mandatory(fields)) {
    if (field.data_type !== 'lookup' || field.api_name in given) continue;
    const module = field.lookup?.module?.api_name;
    found[field.api_name] = module
      ? { id: (await findRecord(client, module, undefined)).id }
      : await findAnyRecord(client, field.api_name);
  }
  return found;
}

/** The newest record of the first likely module that has one, as a value of the field. */
async function findAnyRecord(client: Client, field: string): Promise<Json> {
  for (const module of LIKELY_TARGETS) {
    const newest = await findNewest(client, module);
    if (newest) return inModule(module, newest.id);
  }
  throw new CliError(`No record that ${field} could point at was found; give one with --set ${field}=Module/id.`);
}

const inModule = (module: string, id: string): Json => ({ id, module: { api_name: module } });

const findNewest = async (client: Client, module: string) =>
  (await client.records.list(module, { perPage: 1 })).data[0];

async function findRecord(client: Client, module: string, id: string | undefined) {
  if (id !== undefined) {
    const record = await client.records.get(module, id);
    if (!record) throw new CliError(`${module} has no record ${id}.`);
    return record;
  }
  const newest = await findNewest(client, module);
  if (!newest) throw new CliError(`${module} has no records yet; make one with: watchbell trigger ${module}.create`);
  return newest;
}

function report(made: Made, asJson: boolean): void {
  if (asJson) printJson(made);
  else print(madeLine(made));
}

const madeLine = ({ module, operation, id, values }: Made): string =>
  [`${module}.${operation}`, id, ...Object.entries(values).map(([field, value]) => `${field}=${plain(value)}`)].join(
    '  ',
  );

const plain = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

function assignedValues(module: string, fields: readonly FieldInfo[], set: readonly Assignment[]): RecordValues {
  return Object.fromEntries(
    set.map(({ field, value }) => {
      const info = fields.find((candidate) => candidate.api_name === field);
      if (!info) throw new CliError(`${module} has no field ${field} that could be set.`);
      return [field, typedValue(info, value)];
    }),
  );
}

/**
 * The text as JSON of the field's type; nothing empties the field. The server says what is wrong with it. A lookup to any
 * module takes `Module/id`.
 */
function typedValue(field: FieldInfo, text: string): Json {
  if (text === '') return null;
  switch (field.data_type) {
    case 'integer':
    case 'double':
    case 'currency':
    case 'percent':
      return Number.isNaN(Number(text)) ? text : Number(text);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'multiselectpicklist':
      return text.split(';');
    case 'lookup': {
      const [module = '', id] = text.split('/', 2);
      return id === undefined ? { id: text } : inModule(module, id);
    }
    case 'ownerlookup':
    case 'userlookup':
      return { id: text };
    default:
      return text;
  }
}
