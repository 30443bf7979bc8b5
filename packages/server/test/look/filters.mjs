import { FAMOUS_INDEX, MODULES, recordId } from './seed.mjs';

const HOUR_MS = 3_600_000;

/** Ways to look, each with a query that is made anew for each walk, and what each thing found must be like. */
export function filtersOf({ plan, generations, user, random }) {
  const [leads, contacts, deals] = MODULES;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const any = (module) => pick(generations[module.name]);
  const last = (module) => generations[module.name].at(-1);
  const record = (module) => recordId(module, 1 + Math.floor(random() * plan.records));
  const famous = recordId(leads, FAMOUS_INDEX);
  const iso = (time) => new Date(Math.floor(time / 1000) * 1000).toISOString();
  const hour = () => {
    const from = plan.start + random() * (plan.end - plan.start - HOUR_MS);
    return { from: iso(from), to: iso(from + HOUR_MS) };
  };
  const before = () => ({ to: hour().to });
  const half = () => ({ to: iso((plan.start + plan.end) / 2) });
  return {
    notifications: [
      ['none', () => ({})],
      ['time', hour],
      ['older than', before],
      ['channel', () => ({ channel: any(leads) })],
      ['channel, older than', () => ({ channel: any(leads), ...before() })],
      ['module', () => ({ module: pick(MODULES).name })],
      ['module, time', () => ({ module: 'Deals', ...hour() })],
      ['record', () => ({ module: 'Contacts', record: record(contacts) })],
      ['record with a long history', () => ({ module: 'Leads', record: famous })],
      ['record with a long history, time', () => ({ module: 'Leads', record: famous, ...hour() })],
      ['record, channel', () => ({ module: 'Leads', record: famous, channel: any(leads) })],
      ['user', () => ({ user })],
      ['state pending', () => ({ state: 'pending' })],
      ['state pending, channel', () => ({ state: 'pending', channel: generations.Leads.at(-2) })],
      ['state held', () => ({ state: 'held' })],
      ['state held, channel', () => ({ state: 'held', channel: last(leads) })],
      ['state delivered', () => ({ state: 'delivered' })],
      ['state delivered, channel', () => ({ state: 'delivered', channel: any(leads), ...before() })],
      ['state parked', () => ({ state: 'parked' })],
      ['state parked, channel', () => ({ state: 'parked', channel: any(deals) })],
      ['state parked, module', () => ({ state: 'parked', module: 'Deals' })],
      ['state parked, time', () => ({ state: 'parked', ...hour() })],
      ['state parked, record', () => ({ state: 'parked', module: 'Leads', record: famous })],
      ['state cancelled', () => ({ state: 'cancelled' })],
      ['state cancelled, channel', () => ({ state: 'cancelled', channel: last(contacts) })],
      ['outcome none', () => ({ outcome: 'none' })],
      ['outcome rejected', () => ({ outcome: 'rejected' })],
      ['outcome rejected, channel', () => ({ outcome: 'rejected', channel: any(contacts) })],
      ['outcome rejected, module, time', () => ({ outcome: 'rejected', module: 'Deals', ...hour() })],
      ['outcome unreachable', () => ({ outcome: 'unreachable' })],
      ['outcome delivered, older than', () => ({ outcome: 'delivered', ...half() })],
    ],
    attempts: [
      ['none', () => ({})],
      ['channel', () => ({ channel: any(leads) })],
      ['channel, time', () => ({ channel: any(leads), ...hour() })],
      ['outcome unreachable', () => ({ outcome: 'unreachable' })],
      ['outcome rejected, channel', () => ({ outcome: 'rejected', channel: any(leads) })],
      ['status 503', () => ({ status: 503 })],
      ['status 500, time', () => ({ status: 500, ...hour() })],
      ['time', hour],
    ],
  };
}

/** Undefined, or what is wrong with a notification that was found. */
export function misfitOf(query, found) {
  const { state, module, record, channel, outcome, from, to } = query;
  const wrong = [
    state !== undefined && found.state !== state,
    module !== undefined && found.module !== module,
    record !== undefined && !found.ids.includes(record),
    channel !== undefined && found.channel_generation !== channel,
    outcome !== undefined && (found.last_attempt?.outcome ?? 'none') !== outcome,
    from !== undefined && Date.parse(found.change.at) < Date.parse(from),
    to !== undefined && Date.parse(found.change.at) >= Date.parse(to),
  ];
  return wrong.includes(true) ? JSON.stringify({ query, found }) : undefined;
}
