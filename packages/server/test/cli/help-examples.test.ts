import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Admin, createAdmin } from '@watchbell/client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ExampleWorld, ORG, startExampleWorld } from '../docs/example-world.ts';
import { freePort } from './command.ts';
import { createShell, helpExamples } from './help-examples.ts';

/** What an example is about, in the place of what it names. */
type Names = Readonly<Record<string, string>>;

interface World {
  readonly home: string;
  readonly example: ExampleWorld;
  readonly admin: Admin;
  crm(method: string, path: string, body?: object): Promise<Loose>;
}

interface Row {
  /** Makes what the example needs; answers what stands in the place of what it names. */
  readonly prepare?: (world: World) => Promise<Names>;
  /** It changes what others need. */
  readonly alone?: true;
  /** It goes on until it is ended; it is once it says this. */
  readonly until?: RegExp;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

const GENERATION = '3652397000010000042';
const USER = '3652397000000186017';
const PROFILE = '3652397000000026011';
const SPARE_PROFILE = '3652397900000026012';
const RECORD = '3652397000010000007';
const LEAD = '3652397000010000030';
const GONE = '4111111';
const TOKEN = '0f3a9c51d2b84e6fa1c07b32';
const JOB = 'job_019aa5f0c1e25d7c6ee04b2b8d9a4f31';
const NOTIFICATION = 'msg_019aa5f0c1e25d7c6ee04b2b8d9a4f31';

const DAY_MS = 86_400_000;

const alone: Row = { alone: true };
const spareUser: Row = {
  async prepare({ admin }) {
    const user = { email: 'spare@example.com', last_name: 'Spare', profile: await firstProfile(admin) };
    return { [USER]: (await admin.users.add(ORG, user)).id };
  },
};
/** A replay that lasts longer than the example. */
async function startReplay({ admin, crm, example: { variables } }: World): Promise<Names> {
  for (let i = 0; i < 30; i += 1) await crm('POST', '/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  const { id } = await admin.channel(ORG, variables.GENERATION ?? '').replay({ which: 'all', rate: 1 });
  return { [JOB]: id };
}
const onJob: Row = { alone: true, prepare: startReplay };
/** It expired, and was renewed after a change. */
const lapsed: Row = {
  alone: true,
  async prepare({ admin, crm, example: { variables } }) {
    const channel = admin.channel(ORG, variables.GENERATION ?? '');
    await admin.clock.advance({ by: '2d' });
    await crm('POST', '/Contacts', { data: [{ Last_Name: 'Boyle' }] });
    const { channel_id } = await channel.show();
    await crm('POST', '/actions/watch', {
      watch: [{ channel_id, events: ['Contacts.all'], notify_url: `${variables.BASE}/_watchbell/inbox/docs` }],
    });
    const { items } = await channel.feed.lapses();
    return { '--from-change 12': `--from-change ${items[0]?.from_change}` };
  },
};
const onNotification: Row = {
  async prepare({ admin, example: { variables } }) {
    const channel = variables.GENERATION ?? '';
    const { items } = await admin.notifications(ORG).list({ state: 'delivered', channel });
    return { [NOTIFICATION]: items[0]?.id ?? '' };
  },
};
const NOTICE = 'ntc_3652397_7_0_mk0xw2o0';
const onNotice: Row = {
  alone: true,
  async prepare({ admin, example: { variables } }) {
    await admin.lifecycle.change(ORG, `${variables.BASE}/_watchbell/inbox/notices`);
    await admin.channels.suspend(ORG, variables.GENERATION ?? '');
    await admin.channels.resume(ORG, variables.GENERATION ?? '');
    await admin.clock.advance({ by: '1s' });
    const { items } = await admin.notices(ORG).list();
    return { [NOTICE]: items[0]?.id ?? '' };
  },
};
const listens: Row = { until: /Listening for/ };

/** By the beginning of a line: the first that fits. What has no row is run as it stands. */
const ROWS: readonly (readonly [beginning: string, row: Row])[] = [
  ['watchbell orgs add', alone],
  ['watchbell orgs suspend', alone],
  ['watchbell notices redeliver', onNotice],
  ['watchbell notices tell', alone],
  ['watchbell notices hush', alone],
  [
    'watchbell orgs resume',
    {
      alone: true,
      async prepare({ admin }) {
        await admin.orgs.suspend(ORG);
        return {};
      },
    },
  ],
  [
    'watchbell orgs erase 4111111',
    {
      alone: true,
      async prepare({ admin }) {
        const { org } = await admin.orgs.add({ name: 'Gone', email: 'gone@example.com', last_name: 'Gone' });
        return { [GONE]: org.id };
      },
    },
  ],
  ['watchbell users add', { prepare: async ({ admin }) => ({ [PROFILE]: await firstProfile(admin) }) }],
  ['watchbell users change', spareUser],
  ['watchbell users remove', { ...spareUser, alone: true }],
  [
    'watchbell profiles remove',
    {
      async prepare({ admin }) {
        return { [SPARE_PROFILE]: (await admin.profiles.add(ORG, { name: 'Spare' })).id };
      },
    },
  ],
  ['watchbell profiles change', alone],
  ['watchbell profiles', { prepare: async ({ admin }) => ({ [PROFILE]: await firstProfile(admin) }) }],
  ['watchbell clients rotate', alone],
  ['watchbell clients remove', alone],
  [
    'watchbell tokens revoke 0f3a',
    {
      alone: true,
      async prepare({ admin }) {
        const { items } = await admin.tokens.list(ORG);
        return { [TOKEN]: items[0]?.id ?? '' };
      },
    },
  ],
  ['watchbell tokens revoke', alone],
  ['watchbell clock set', alone],
  // Each step of years would be taken.
  [
    'watchbell clock advance 2030',
    {
      alone: true,
      prepare: async () => ({ '2030-01-31T12:00:00Z': new Date(Date.now() + 3 * DAY_MS).toISOString() }),
    },
  ],
  ['watchbell clock advance', alone],
  ['watchbell signing on', alone],
  [
    'watchbell signing rotate',
    {
      alone: true,
      async prepare({ admin, example: { variables } }) {
        await admin.signing.renew(ORG);
        await admin.signing.renew(ORG, { channel: variables.GENERATION ?? '' });
        return {};
      },
    },
  ],
  ['watchbell notifications', onNotification],
  ['watchbell listen', listens],
  ['watchbell replays redeliver', { prepare: async () => ({ '--number 7': '--number 2' }) }],
  [
    'watchbell replays resume',
    {
      alone: true,
      async prepare(world) {
        const names = await startReplay(world);
        await world.admin.jobs(ORG).pause(names[JOB] ?? '');
        return names;
      },
    },
  ],
  [
    'watchbell feed forget',
    {
      async prepare({ admin, example: { variables } }) {
        await admin.channel(ORG, variables.GENERATION ?? '').feed.cursors.move('nightly', 1);
        return {};
      },
    },
  ],
  ['watchbell rematch start 3652397000010000042 --lapse', lapsed],
  ['watchbell replays show', onJob],
  ['watchbell replays pause', onJob],
  ['watchbell replays cancel', onJob],
  [
    'watchbell changes send --file changes.jsonl',
    {
      async prepare({ home }) {
        const change = { module: 'Orders', operation: 'update', records: [{ id: 'A-1', values: { Stage: 'Paid' } }] };
        writeFileSync(join(home, 'changes.jsonl'), `${JSON.stringify(change)}\n`);
        return {};
      },
    },
  ],
  [
    'watchbell trigger Notes.create',
    {
      async prepare({ crm }) {
        const made = await crm('POST', '/Leads', { data: [{ Last_Name: 'Hamilton', Company: 'Rising' }] });
        return { [LEAD]: made.data[0].details.id };
      },
    },
  ],
  [
    'watchbell demo --credentials ./credentials.json',
    {
      async prepare({ home, example }) {
        copyFileSync(join(example.dataDir, 'credentials.json'), join(home, 'credentials.json'));
        return {};
      },
    },
  ],
];

/** Of a machine of its own: what servers run on and stores are kept in. Paths are made below `home`. */
const SERVER_ROWS: readonly (readonly [beginning: string, until?: RegExp])[] = [
  ['watchbell dev', /is ready on/],
  ['WATCHBELL_SECRET_KEY=$(cat key) watchbell serve', /is ready on/],
  ['watchbell serve', /is ready on/],
  ['watchbell setup'],
  ['watchbell migrate '],
  ['watchbell doctor'],
  ['watchbell backup'],
  ['watchbell restore'],
];

/** Run by test/storage/postgres-examples.test.ts. */
const ELSEWHERE = ['migrate-store'];

const { examples, without } = helpExamples();
const isOnServer = (line: string): boolean => SERVER_ROWS.some(([beginning]) => line.startsWith(beginning));
const rowOf = (line: string): Row => ROWS.find(([beginning]) => line.startsWith(beginning))?.[1] ?? {};
const here = examples.filter(({ command }) => !ELSEWHERE.includes(command));

test('the help of every command shows an example, and no row is left over', () => {
  expect(without).toEqual([]);
  expect(examples.length).toBeGreaterThan(80);
  const lines = examples.map(({ line }) => line);
  const used = (beginning: string) => lines.some((line) => line.startsWith(beginning));
  expect([...ROWS, ...SERVER_ROWS].map(([beginning]) => beginning).filter((beginning) => !used(beginning))).toEqual([]);
});

describe('with a server, every example of a help is carried out', () => {
  let shared: ExampleWorld;
  beforeAll(async () => {
    shared = await startExampleWorld();
  });
  afterAll(() => shared.stop());

  test.each(here.map(({ line }) => line).filter((line) => !isOnServer(line)))('%s', async (line) => {
    const { prepare, alone, until } = rowOf(line);
    const example = alone ? await startExampleWorld() : shared;
    if (alone) onTestFinished(() => example.stop());
    const shell = createShell({ WATCHBELL_DATA_DIR: example.dataDir });
    onTestFinished(shell.remove);
    const names = await prepare?.(worldOf(example, shell.home));
    const ran = await shell.run(withNames(line, { ...usual(example), ...names }), until);
    expect(ran.code, `${line}\n${ran.stdout}${ran.stderr}`).toBe(0);
  });
});

describe('on a machine of its own, every example of a help is carried out', () => {
  test.each(here.map(({ line }) => line).filter(isOnServer))('%s', async (line) => {
    const home = (path: string) => join(shell.home, path);
    const shell = createShell({
      WATCHBELL_PUBLIC_URL: 'https://watchbell.example.com',
      WATCHBELL_ADMIN_TOKEN: 'a'.repeat(40),
      WATCHBELL_HOST: '127.0.0.1',
      WATCHBELL_PORT: '0',
      WATCHBELL_LOG_LEVEL: 'warn',
      ...(!line.startsWith('WATCHBELL_SECRET_KEY') && { WATCHBELL_SECRET_KEY: 'b'.repeat(64) }),
    });
    onTestFinished(shell.remove);
    writeFileSync(home('key'), 'b'.repeat(64));
    mkdirSync(home('backups'));
    const placed = (text: string) =>
      text.replaceAll('/var/lib/', home('')).replaceAll('/backups/', `${home('backups')}/`);
    const [, until] = SERVER_ROWS.find(([beginning]) => line.startsWith(beginning)) ?? [];
    // What is there before: an organisation, and a copy of its store.
    const needsStore = /backup|restore|doctor --json|migrate/.test(line);
    for (const [dir, to] of [
      ['', ''],
      ['--data-dir /var/lib/watchbell', '--to /backups/now.sqlite'],
    ] as const) {
      if (!needsStore) break;
      const made = await shell.run(placed(`watchbell setup --org Z --email a@example.com --last-name L ${dir}`));
      expect(made).toMatchObject({ code: 0 });
      if (to === '' || !line.includes('restore')) continue;
      expect(await shell.run(placed(`watchbell backup ${dir} ${to}`))).toMatchObject({ code: 0 });
    }
    const port = String(await freePort());
    const ran = await shell.run(
      placed(line).replaceAll('/tmp/try', home('try')).replaceAll('--port 8686', `--port ${port}`),
      until,
    );
    expect(ran.code, `${line}\n${ran.stdout}${ran.stderr}`).toBe(0);
    if (line.includes('> credentials.json')) expect(existsSync(home('credentials.json'))).toBe(true);
  });
});

const firstProfile = async (admin: Admin): Promise<string> => (await admin.profiles.list(ORG)).items[0]?.id ?? '';

/** Ids that helps name, and what there is of their kind. */
const usual = ({ variables }: ExampleWorld): Names => ({
  [GENERATION]: variables.GENERATION ?? '',
  [RECORD]: variables.RECORD ?? '',
});

function withNames(line: string, names: Names): string {
  return Object.entries(names).reduce((text, [shown, real]) => text.replaceAll(shown, real), line);
}

function worldOf(example: ExampleWorld, home: string): World {
  const { base, variables } = example;
  return {
    home,
    example,
    admin: createAdmin({ base, adminToken: 'dev-admin' }),
    async crm(method, path, body) {
      const headers = { authorization: `Zoho-oauthtoken ${variables.TOKEN}` };
      const answer = await fetch(`${base}/crm/v8${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      return answer.json();
    },
  };
}
