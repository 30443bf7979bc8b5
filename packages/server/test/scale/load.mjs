// Changes of which each owes one notification, a hundred of them, or one about a hundred records.
const CALLERS = 64;
const PER_CALL = 100;

export async function loadOf(call, receiver, { records, fanOut }) {
  const channel_expiry = `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`;
  let owed = 0;
  let serial = 0;

  async function add(module, channels) {
    const ids = [];
    while (ids.length < records) {
      const data = Array.from({ length: PER_CALL }, () => ({ Last_Name: 'Boyle', Company: 'Royal Society' }));
      const { status, body } = await call('POST', `/${module}`, { data });
      if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
      ids.push(...body.data.map(({ details }) => details.id));
    }
    const watch = Array.from({ length: channels }, (_, i) => ({
      channel_id: String(records + channels + i),
      events: [`${module}.edit`],
      notify_url: receiver.origin,
      notify_on_related_action: false,
      channel_expiry,
    }));
    const { status, body } = await call('POST', '/actions/watch', { watch });
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    return ids;
  }

  async function edit(module, ids, count, channels) {
    const data = Array.from({ length: count }, () => {
      serial += 1;
      return { id: ids[serial % ids.length], Description: `Edit ${serial}, with a text of a usual length` };
    });
    const { status, body } = await call('PUT', `/${module}`, { data });
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    owed += channels;
  }

  /** As fast as the callers are answered, and no further ahead of the receiver than a few seconds; until all has come. */
  async function keep(seconds, once) {
    const end = performance.now() + seconds * 1000;
    const ahead = () => owed - receiver.received() > 5000;
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (performance.now() < end) {
          if (ahead()) await new Promise((resolve) => setTimeout(resolve, 20));
          else await once();
        }
      }),
    );
    await receiver.has(owed);
  }

  const [contacts, leads] = [await add('Contacts', 1), await add('Leads', fanOut)];
  return {
    names: {
      single: 'one record a call',
      fanOut: `… ${fanOut} channels each`,
      hundred: `${PER_CALL} records a call`,
    },
    single: (seconds) => keep(seconds, () => edit('Contacts', contacts, 1, 1)),
    fanOut: (seconds) => keep(seconds, () => edit('Leads', leads, 1, fanOut)),
    hundred: (seconds) => keep(seconds, () => edit('Contacts', contacts, PER_CALL, 1)),
  };
}
