// Drives the official SDK, as it is published, in a process of its own: it keeps its state in globals.
// argv: base, folder for its token store and cache, notify URL, phase (full | cached). Prints one JSON line a step.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const sdk = createRequire(import.meta.url)('@zohocrm/typescript-sdk-8.0');
const [base, folder, notifyUrl, phase] = process.argv.slice(2);
// The SDK leaves promises of its own unhandled.
process.on('unhandledRejection', () => undefined);

const { Notifications, Record } = sdk;
const text = (value) => (value instanceof sdk.Choice ? value.getValue() : value);
const plain = (value) =>
  JSON.parse(
    JSON.stringify(value, (_key, inner) => {
      if (typeof inner === 'bigint') return inner.toString();
      if (inner instanceof Map) return Object.fromEntries(inner);
      return inner;
    }) ?? 'null',
  );

function say(step, response, items) {
  process.stdout.write(`${JSON.stringify({ step, status: response.getStatusCode(), items })}\n`);
}

/** Actions of a watch or record call, as the SDK's classes present them. */
const actions = (list) =>
  list.map((item) => ({
    class: item.constructor.name,
    code: text(item.getCode()),
    status: text(item.getStatus()),
    message: text(item.getMessage()),
    details: plain(eventsOf(item.getDetails())),
  }));

function eventsOf(details) {
  const events = details?.get('events');
  if (!Array.isArray(events)) return details;
  return { events: events.map((event) => ({ module: event.getResourceName(), id: event.getChannelId() })) };
}

function channel(fill) {
  const notification = new Notifications.Notification();
  notification.setChannelId('1000000068001');
  fill(notification);
  const body = new Notifications.BodyWrapper();
  body.setWatch([notification]);
  return body;
}

function records(...all) {
  const body = new Record.BodyWrapper();
  body.setData(
    all.map(({ id, ...values }) => {
      const record = new Record.Record();
      if (id) record.setId(BigInt(id));
      for (const [key, value] of Object.entries(values)) record.addKeyValue(key, value);
      return record;
    }),
  );
  return body;
}

const token = new sdk.OAuthBuilder()
  .clientId('1000.DEV')
  .clientSecret('dev-secret')
  .refreshToken('1000.dev.refresh')
  .build();
await (await new sdk.InitializeBuilder())
  .environment(new sdk.Environment(base, `${base}/oauth/v2/token`, base))
  .token(token)
  .store(new sdk.FileStore(join(folder, 'tokens.txt')))
  .resourcePath(folder)
  .SDKConfig(new sdk.SDKConfigBuilder().autoRefreshFields(true).build())
  .logger(new sdk.LogBuilder().level(sdk.Levels.ERROR).filePath(join(folder, 'sdk.log')).build())
  .initialize();

const watch = new Notifications.NotificationsOperations();
const contacts = new Record.RecordOperations('Contacts');
const deals = new Record.RecordOperations('Deals');

async function details(step) {
  const params = new sdk.ParameterMap();
  await params.add(Notifications.GetNotificationsParam.CHANNEL_ID, 1000000068001n);
  const response = await watch.getNotifications(params);
  const rows = response.getObject()?.getWatch() ?? [];
  say(
    step,
    response,
    rows.map((row) => ({ module: row.getResourceName(), events: row.getEvents(), token: row.getToken() })),
  );
}

async function watchStep(step, call) {
  const response = await call;
  say(step, response, actions(response.getObject().getWatch()));
}

async function recordStep(step, call) {
  const response = await call;
  const items = actions(response.getObject().getData());
  say(step, response, items);
  return items.map((item) => item.details.id);
}

if (phase === 'full') {
  const enable = channel((c) => {
    c.setEvents(['Contacts.all', 'Deals.all']);
    c.setNotifyUrl(notifyUrl);
    c.setToken('first');
    c.setChannelExpiry(new Date(Date.now() + 86_400_000));
    c.setNotifyOnRelatedAction(false);
    c.setReturnAffectedFieldValues(true);
  });
  await watchStep('enable', watch.enableNotifications(enable));
  await details('details');

  const [first, second] = await recordStep(
    'create',
    contacts.createRecords(records({ Last_Name: 'Ångström', Email: 'a@example.com' }, { Last_Name: 'Boyle' })),
  );
  await recordStep('update', contacts.updateRecords(records({ id: first, Phone: '555-0100' })));
  await recordStep('update one', contacts.updateRecord(BigInt(second), records({ Phone: '555-0101' })));
  const upsert = records({ Last_Name: 'Ångström', Email: 'a@example.com', Department: 'Spectra' });
  upsert.setDuplicateCheckFields(['Email']);
  await recordStep('upsert', contacts.upsertRecords(upsert));

  const response = await contacts.getRecord(BigInt(first), new sdk.ParameterMap(), new sdk.HeaderMap());
  const [record] = response.getObject().getData();
  say('get', response, [
    {
      id: record.getId().toString(),
      Last_Name: record.getKeyValue('Last_Name'),
      Department: record.getKeyValue('Department'),
      owner: record.getKeyValue('Owner')?.getEmail?.() ?? null,
      created: record.getCreatedTime() instanceof Date,
    },
  ]);

  const [deal] = await recordStep(
    'create deal',
    deals.createRecords(records({ Deal_Name: 'Lamp', Stage: new sdk.Choice('Qualification') })),
  );
  await recordStep(
    'update deal',
    deals.updateRecord(BigInt(deal), records({ Stage: new sdk.Choice('Proposal/Price Quote') })),
  );

  const params = new sdk.ParameterMap();
  await params.add(Record.DeleteRecordsParam.IDS, `${first},${second}`);
  await recordStep('delete', contacts.deleteRecords(params));
  await recordStep('delete one', deals.deleteRecord(BigInt(deal)));

  const update = channel((c) => {
    c.setEvents(['Contacts.create', 'Contacts.edit', 'Deals.create']);
    c.setNotifyUrl(notifyUrl);
    c.setToken('second');
  });
  await watchStep('update (PUT)', watch.updateNotifications(update));
  await details('details after PUT');
  await watchStep('update info (PATCH)', watch.updateNotification(channel((c) => c.setToken('third'))));
  await details('details after PATCH');
  const some = channel((c) => {
    c.setEvents(['Contacts.edit']);
    c.setDeleteEvents(true);
  });
  await watchStep('disable specific', watch.disableNotification(some));
  await details('details after disabling');
} else {
  await recordStep('create after restart', contacts.createRecords(records({ Last_Name: 'Curie' })));
  const params = new sdk.ParameterMap();
  await params.add(Notifications.DeleteNotificationParam.CHANNEL_IDS, '1000000068001');
  await watchStep('disable', watch.deleteNotification(params));
  await details('details after all');
}
process.exit(0);
