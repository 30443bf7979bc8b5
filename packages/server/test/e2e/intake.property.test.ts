import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';
const VERSIONS = ['v2', 'v3', 'v8'];
/** The same fields, of records that are kept here and of records that live elsewhere. */
const FIELDS = [
  { api_name: 'State', type: 'picklist', pick_list: ['New', 'Used', 'Sold'] },
  { api_name: 'Count', type: 'integer' },
  { api_name: 'Done', type: 'boolean' },
  { api_name: 'Since', type: 'date' },
  { api_name: 'Kinds', type: 'multiselectpicklist', pick_list: ['A', 'B', 'C'] },
  { api_name: 'Buyer', type: 'lookup', lookup: 'Contacts' },
  { api_name: 'Seller', type: 'lookup', lookup: 'Contacts' },
];

let app: LiveApp;
let receiver: Receiver;
/** Contacts: their ids with their names. */
const contacts = new Map<string, string>();

beforeAll(async () => {
  app = await startLiveApp();
  receiver = await startReceiver();
  const operate = operatorOf(app.base);
  for (const [api_name, external] of [
    ['Here', false],
    ['Elsewhere', true],
  ] as const) {
    const module = { api_name, singular: api_name, plural: api_name, external, fields: FIELDS };
    expect((await operate('POST', `/orgs/${ORG}/modules`, module)).status).toBe(201);
  }
  for (const name of ['Boyle', 'Reed']) {
    const { body } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: name }] });
    contacts.set(at(body, 'data', 0, 'details', 'id'), name);
  }
  for (const [i, version] of VERSIONS.entries()) {
    const watch = ['Here', 'Elsewhere'].flatMap((module, k) =>
      [false, true].map((isNarrow, j) => ({
        channel_id: `${1000 + 100 * k + 10 * i + j}`,
        events: [`${module}.all`],
        notify_url: receiver.origin,
        return_affected_field_values: true,
        ...(isNarrow && { notification_condition: [conditionOf(module)] }),
      })),
    );
    const related = { channel_id: `${1900 + i}`, events: ['Contacts.edit'], notify_url: receiver.origin };
    const body = { watch: [...watch, { ...related, notify_on_related_action: true }] };
    expect((await app.owner.call('POST', `/crm/${version}/actions/watch`, body)).status).toBe(201);
  }
});
afterAll(async () => {
  await app.stop();
  await receiver.close();
});

/** Count, and either of State and Buyer. */
function conditionOf(module: string): object {
  const field = (api_name: string) => ({ field: { api_name } });
  const either = { group_operator: 'or', group: [field('State'), field('Buyer')] };
  const field_selection = { group_operator: 'and', group: [field('Count'), either] };
  return { type: 'field_selection', module: { api_name: module }, field_selection };
}

type Values = Readonly<Record<string, unknown>>;
type Step = { readonly operation: 'insert' | 'update' | 'delete'; readonly records: readonly [number, Values][] };

const orNull = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { freq: 4 });
const contact = fc.nat(1).map((i) => ({ id: i }));
const values = fc.record(
  {
    Name: fc.constantFrom('Press', 'Saw'),
    State: orNull(fc.constantFrom('New', 'Used', 'Sold')),
    Count: orNull(fc.integer({ min: 0, max: 2 })),
    Done: fc.boolean(),
    Since: orNull(fc.constantFrom('2026-01-05', '2026-02-05')),
    Kinds: orNull(fc.subarray(['A', 'B', 'C'], { minLength: 1 })),
    Buyer: orNull(contact),
    Seller: orNull(contact),
  },
  { requiredKeys: [] },
);
const records = fc.uniqueArray(fc.tuple(fc.nat(3), values), { minLength: 1, maxLength: 4, selector: ([id]) => id });
const step: fc.Arbitrary<Step> = fc.record({
  operation: fc.constantFrom('insert', 'update', 'update', 'update', 'delete'),
  records,
});

/** Of what is kept in memory while the steps are done: ids of contacts instead of their places. */
const withContacts = (given: Values): Values =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const isLookup = (name === 'Buyer' || name === 'Seller') && value !== null;
      return [name, isLookup ? { id: [...contacts.keys()][(value as { id: number }).id] } : value];
    }),
  );

const named = (given: Values): Values =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const id = (value as { id?: string } | null)?.id;
      return [name, id === undefined ? value : { id, name: contacts.get(id) }];
    }),
  );

/** What there is as each step begins, by the places of records; steps on records that are not there do nothing. */
function played(steps: readonly Step[]) {
  const state = new Map<number, Values>();
  return steps.flatMap(({ operation, records }) => {
    const doable = records
      .filter(([place]) => (operation === 'insert') !== state.has(place))
      .map(([place, given]) => ({
        place,
        given: withContacts(operation === 'insert' ? { Name: 'Press', ...given } : given),
        before: state.get(place) ?? {},
      }));
    for (const { place, given, before } of doable) {
      if (operation === 'delete') state.delete(place);
      else state.set(place, { ...before, ...given });
    }
    return doable.length === 0 ? [] : [{ operation, records: doable }];
  });
}

type Played = ReturnType<typeof played>;

/** Through the record API; the ids that the records got, by their places, as often as they were made. */
async function here(steps: Played): Promise<Map<string, string>> {
  const ids = new Map<number, string>();
  const places = new Map<string, string>();
  for (const [i, { operation, records }] of steps.entries()) {
    const call = (method: string, path: string, body?: object) => app.owner.call(method, `/crm/v8/${path}`, body);
    if (operation === 'insert') {
      const { body } = await call('POST', 'Here', { data: records.map(({ given }) => given) });
      for (const [k, { place }] of records.entries()) {
        const id = at(body, 'data', k, 'details', 'id');
        ids.set(place, id);
        places.set(id, `${place}:${i}`);
      }
    } else if (operation === 'update') {
      const data = records.map(({ place, given }) => ({ ...given, id: ids.get(place) }));
      expect((await call('PUT', 'Here', { data })).status).toBe(200);
    } else {
      const gone = records.map(({ place }) => ids.get(place)).join(',');
      expect((await call('DELETE', `Here?ids=${gone}`)).status).toBe(200);
    }
  }
  return places;
}

/** Through the intake, step by step or all in one call. */
async function elsewhere(steps: Played, isOneCall: boolean): Promise<void> {
  const made = new Map<number, string>();
  const changes = steps.map(({ operation, records }, i) => ({
    module: 'Elsewhere',
    operation,
    records: records.map(({ place, given, before }) => {
      if (operation === 'insert') made.set(place, `${place}:${i}`);
      const id = made.get(place);
      if (operation === 'insert') return { id, values: named(given) };
      if (operation === 'delete') return { id, old_values: named(before) };
      return { id, old_values: named(before), values: named({ ...given, ...without(before, given) }) };
    }),
  }));
  for (const some of isOneCall ? [changes] : changes.map((change) => [change])) {
    const { status } = await app.owner.call('POST', '/_watchbell/v1/changes', { changes: some });
    expect(status).toBe(200);
  }
}

const without = (values: Values, others: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !(name in others)));

/** What came, channel by channel in number order, with the ids and names of the one as if they were the other's. */
function comparable(received: readonly Received[], places: ReadonlyMap<string, string>): Record<string, unknown[]> {
  const byChannel: Record<string, [number, unknown][]> = {};
  for (const { body, headers } of received) {
    const channel = String(body.channel_id).replace(/^10/, '11');
    let text = JSON.stringify({ ...body, channel_id: channel }).replaceAll('Here', 'Elsewhere');
    for (const [id, place] of places) text = text.replaceAll(id, place);
    byChannel[channel] ??= [];
    byChannel[channel].push([Number(headers['watchbell-sequence']), JSON.parse(text)]);
  }
  return Object.fromEntries(
    Object.entries(byChannel).map(([channel, all]) => [channel, all.sort(([a], [b]) => a - b).map(([, body]) => body)]),
  );
}

test('the same changes, of records here and of records elsewhere, give the same notifications', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.boolean(), async (steps, isOneCall) => {
      const all = played([{ operation: 'insert', records: [[0, {}]] }, ...steps]);
      const before = receiver.received.length;
      const places = await here(all);
      await app.app.idle();
      const between = receiver.received.length;
      await elsewhere(all, isOneCall);
      await app.app.idle();
      const own = comparable(receiver.received.slice(before, between), places);
      expect(comparable(receiver.received.slice(between), new Map())).toEqual(own);
      compared += between - before;
    }),
    { numRuns: 40, ...(process.env.WATCHBELL_TEST_SEED && { seed: Number(process.env.WATCHBELL_TEST_SEED) }) },
  );
  // Each begins with an insert, which concerns a whole channel of each version at least.
  expect(compared).toBeGreaterThan(40 * VERSIONS.length);
}, 60_000);
