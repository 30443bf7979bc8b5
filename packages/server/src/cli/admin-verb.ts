import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Admin, createAdmin, type Listing, type Overview } from '@watchbell/client';
import type { Command } from 'commander';
import { integerFrom } from './arguments.ts';
import { checkedBase } from './credentials.ts';
import { examples, type Run } from './declare.ts';
import { CliError, type ExitCode } from './errors.ts';
import { note, print, printJson, table } from './output.ts';
import { adminTokenOption, credentialsDirOption, type Environment } from './settings.ts';

/** How a command of the operator is told which server, and by which right. */
interface AdminOptions {
  readonly dataDir: string;
  readonly credentials?: string;
  readonly base?: string;
  readonly adminToken?: string;
  readonly org?: string;
  readonly json?: boolean;
}

/** What a verb works with: the server, and the organisation it is about. */
export interface Session {
  readonly admin: Admin;
  /** `--org`, or the only one there is. */
  org(): Promise<string>;
}

/** How a verb is told which page of a list to show. */
export interface PageOptions {
  readonly cursor?: string;
  readonly limit?: number;
}

export const pageOptions = (command: Command): Command =>
  command
    .option('--cursor <text>', 'where to go on, as the page before says')
    .option('--limit <number>', 'most of a page, up to 200', integerFrom(1, 200), 50);

export const pageOf = ({ cursor, limit }: PageOptions) => ({
  ...(cursor !== undefined && { cursor }),
  ...(limit !== undefined && { limit }),
});

export interface Verb<Options> {
  readonly description: string;
  /** Such as `<user>`. */
  readonly argument?: readonly [name: string, description: string];
  readonly options?: (command: Command) => Command;
  readonly examples: readonly string[];
  /** Done when the noun stands alone. */
  readonly isDefault?: true;
  /** Of a listing, what its table shows; without, all. */
  readonly columns?: readonly string[];
  /** Of an object, whose value is printed alone, as it is. */
  readonly only?: string;
  /** About no single organisation: has no `--org`. */
  readonly isAboutOrgs?: true;
  /** What is printed: an object, a listing or a page of one. */
  readonly work: (session: Session, argument: string, options: Options) => Promise<object>;
}

/** Declares the verbs of a noun, such as `watchbell users add`. */
export function declareNoun(program: Command, noun: string, description: string, run: Run, env: Environment) {
  const parent = program.command(noun).description(description);
  return <Options = unknown>(name: string, verb: Verb<Options>): void => {
    const command = addAccess(parent.command(name, { isDefault: verb.isDefault === true }), env).description(
      verb.description,
    );
    if (!verb.isAboutOrgs) command.option('--org <id>', 'the organisation; may be left out when there is only one');
    if (verb.argument) command.argument(...verb.argument);
    verb.options?.(command);
    command
      .option('--json', 'print one JSON object')
      .addHelpText(
        'after',
        examples(...verb.examples.map((example) => `watchbell ${noun} ${name}${example && ` ${example}`}`)),
      )
      .action(async (...given: readonly unknown[]) => {
        const [first, second] = given;
        const options = (verb.argument ? second : first) as AdminOptions & Options;
        await run(work(verb, verb.argument && first !== undefined ? String(first) : '', options));
      });
  };
}

async function work<Options>(
  verb: Verb<Options>,
  argument: string,
  options: AdminOptions & Options,
): Promise<ExitCode> {
  const { base, adminToken } = await readAccess(options);
  const admin = createAdmin({ base, adminToken });
  const session: Session = { admin, org: async () => options.org ?? (await onlyOrg(admin)) };
  const result = await verb.work(session, argument, options);
  const alone = verb.only === undefined || options.json ? undefined : memberOf(result, verb.only);
  if (typeof alone === 'string') print(alone);
  else show(result, options.json === true, verb.columns);
  return 0;
}

async function onlyOrg(admin: Admin): Promise<string> {
  const { items } = await admin.orgs.list({ perPage: 2 });
  const [only] = items;
  if (only && items.length === 1) return only.id;
  throw new CliError('There is not just one organisation: name one with --org (watchbell orgs list shows them).', 2);
}

function addAccess(command: Command, env: Environment): Command {
  return command
    .addOption(credentialsDirOption(env))
    .option('--credentials <file>', 'credentials file; credentials.json in the data directory when absent')
    .option('--base <url>', 'origin of the server')
    .addOption(adminTokenOption(env));
}

/** What was named in options; for the rest, the credentials file. */
async function readAccess({ base, adminToken, credentials, dataDir }: AdminOptions) {
  const path = credentials ?? join(dataDir, 'credentials.json');
  const found = base !== undefined && adminToken !== undefined ? {} : await readObject(path);
  const text = (given: string | undefined, key: string, flag: string): string => {
    const value = given ?? found[key];
    if (typeof value === 'string' && value !== '') return value;
    throw new CliError(`No ${key}: neither in ${path} nor as ${flag}.`);
  };
  return {
    base: checkedBase(text(base, 'base', '--base')),
    adminToken: text(adminToken, 'admin_token', '--admin-token'),
  };
}

async function readObject(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (cause) {
    throw new CliError(
      `The credentials file ${path} cannot be read. Name one with --credentials, or give --base and --admin-token.`,
      1,
      { cause },
    );
  }
  throw new CliError(`The credentials file ${path} does not hold a JSON object.`);
}

function show(result: object, asJson: boolean, columns: readonly string[] | undefined): void {
  if (asJson) printJson(result);
  else if (isListing(result)) showListing(result, columns);
  else if (isPage(result)) showPage(result, columns);
  else print(table(Object.entries(result).map(([key, value]) => [key, shown(value)])));
}

function showListing({ items, info }: Listing<object>, columns: readonly string[] | undefined): void {
  showItems(items, columns);
  note(info.more_records ? `${info.count} shown; go on with --page ${info.page + 1}` : `${info.count} shown`);
}

function showPage({ items, next }: Overview<object>, columns: readonly string[] | undefined): void {
  showItems(items, columns);
  note(next === null ? `${items.length} shown` : `${items.length} shown; go on with --cursor ${next}`);
}

function showItems(items: readonly object[], columns: readonly string[] = Object.keys(items[0] ?? {})): void {
  const cells = (item: object) => columns.map((column) => shown(memberOf(item, column)));
  if (items.length > 0) print(table([columns, ...items.map(cells)]));
}

/** `channel.user` is the user of the channel. */
const memberOf = (item: object, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>> | null | undefined)?.[key], item);

const isPage = (result: object): result is Overview<object> =>
  'items' in result && Array.isArray(result.items) && 'next' in result;
const isListing = (result: object): result is Listing<object> => 'items' in result && 'info' in result;

function shown(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.map(shown).join(',') || '–';
  if (typeof value === 'object' && 'name' in value && 'id' in value) return `${shown(value.id)} (${shown(value.name)})`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
