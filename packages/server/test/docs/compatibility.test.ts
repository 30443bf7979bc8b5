import { describe, expect, onTestFinished, test } from 'vitest';
import { ANY_MODULE } from '../../src/domain/module.ts';
import { MODULES } from '../../src/domain/modules/catalog.ts';
import { API_VERSIONS, type ApiVersion, VERSION_RULES } from '../../src/domain/wire/api-version.ts';
import { type Caller, startLiveApp } from '../support/live-app.ts';
import { cells, page, tableRows } from './page.ts';

const text = page('compatibility.md');
const DAY_MS = 86_400_000;

const yes = (is: boolean | undefined): string => (is ? 'yes' : '–');
const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || '–';

describe('docs/compatibility.md', () => {
  test('shows what differs between the versions', () => {
    expect(tableRows(text, 'versions')).toEqual(API_VERSIONS.map(versionRow));
  });

  test('shows all that the version table knows', () => {
    const shown = cells(versionRow('v8')).length - 1;
    expect(Object.keys(VERSION_RULES.v8)).toHaveLength(shown);
  });

  test('shows every module with its mandatory fields, keys and lookups', () => {
    expect(tableRows(text, 'modules')).toEqual(MODULES.map(moduleRow));
  });

  test('shows the scopes that open each call', async () => {
    const app = await startLiveApp();
    onTestFinished(() => app.stop());
    const callers = await Promise.all(
      OPERATIONS.map(async (operation): Promise<readonly [string, Caller]> => {
        const scopes = FAMILIES.map((family) => `ZohoCRM.${family}.${operation}`);
        return [operation, await app.colleague({ scopes })];
      }),
    );
    const rows = tableRows(text, 'scopes');
    const found: string[] = [];
    for (const row of rows) {
      const [call = '', versions = '', family = ''] = cells(row);
      const version = versions.split(/, | … /).at(-1);
      const opening = [];
      for (const [operation, caller] of callers) {
        if (await opens(caller, call, `/crm/${version}`)) opening.push(operation);
      }
      found.push(`| ${call} | ${versions} | ${family} | ${opening.join(', ')} |`);
    }
    expect(found).toEqual(rows);
  });
});

const OPERATIONS = ['ALL', 'CREATE', 'DELETE', 'READ', 'UPDATE', 'WRITE'];
const FAMILIES = ['notifications', 'modules', 'mass_update', 'mass_delete', 'settings', 'org', 'users'];

function versionRow(version: ApiVersion): string {
  const rules = VERSION_RULES[version];
  const shown = [
    version,
    rules.maxLifeMs / DAY_MS,
    yes(rules.relatedByDefault),
    yes(rules.hasValues),
    yes(rules.hasConditions),
    yes(rules.reportsFields),
    rules.listKeys.length,
    rules.mixedStatus,
    yes(rules.observedFailures),
    codes(rules.deleteScopes),
    codes([rules.tooManyCode]),
    codes(rules.missingParamKeys),
    rules.namesModules,
    yes(rules.hasPageTokens),
    yes(rules.replacesRows),
  ];
  return `| ${shown.join(' | ')} |`;
}

function moduleRow({ apiName, serial, fields, duplicateCheck, isIncomplete }: (typeof MODULES)[number]): string {
  const named = (some: typeof fields) => codes(some.map((field) => field.apiName));
  const lookups = fields.flatMap(({ apiName: name, lookup, readOnly }) =>
    lookup && !readOnly ? [`${name} → ${lookup === ANY_MODULE ? 'any' : lookup}`] : [],
  );
  const shown = [
    codes([apiName]),
    serial,
    fields.length,
    named(fields.filter((field) => field.mandatory)),
    codes(duplicateCheck),
    named(fields.filter((field) => field.unique)),
    codes(lookups),
    isIncomplete ? 'incomplete' : '–',
  ];
  return `| ${shown.join(' | ')} |`;
}

/** Whether the caller's scope lets a call such as `GET {module}/{id}` through. */
async function opens(caller: Caller, call: string, base: string): Promise<boolean> {
  const [, method = '', path = '', removing] = /^`(\w+) (\S+)`( with)?/.exec(call) ?? [];
  const module = path.startsWith('settings') ? 'Leads' : 'Contacts';
  const url = `${base}/${path.replace('{module}', module).replace('{related}', 'Notes').replaceAll('{id}', '1')}?module=Leads`;
  const entry = { channel_id: '1', events: ['Contacts.edit'], ...(removing && { _delete_events: true }) };
  const body = method === 'GET' || method === 'DELETE' ? undefined : { watch: [entry], data: [{}] };
  const { body: answer } = await caller.call(method, url, body);
  return (answer as { code?: string } | undefined)?.code !== 'OAUTH_SCOPE_MISMATCH';
}
