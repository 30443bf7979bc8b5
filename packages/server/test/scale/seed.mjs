const EVENTS = JSON.stringify(['insert', 'update', 'delete'].map((operation) => ({ module: 'Quotes', operation })));

/** So many copies of the newest live channel, each a channel of its own with its first revision, that nothing happens to. */
export async function addChannels(client, count) {
  const { rows: columns } = await client.query(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'channel' ORDER BY ordinal_position",
  );
  const changed = {
    generation: "c.org_id || lpad((900000000 + i)::text, 12, '0')",
    channel_id: '(5000000000 + i)::text',
    events: `'${EVENTS}'`,
    last_number: '0',
  };
  const list = columns.map(({ name }) => changed[name] ?? `c.${name}`).join(', ');
  await client.query(
    `INSERT INTO channel SELECT ${list} FROM (SELECT * FROM channel WHERE ended_at IS NULL ORDER BY generation DESC LIMIT 1) c,
       generate_series(1, $1::int) i`,
    [count],
  );
  await client.query(
    `INSERT INTO channel_revision (org_id, version, at, kind, generation, snapshot)
     SELECT r.org_id, r.version + i, r.at, r.kind, r.org_id || lpad((900000000 + i)::text, 12, '0'), r.snapshot
     FROM (SELECT * FROM channel_revision ORDER BY version DESC LIMIT 1) r, generate_series(1, $1::int) i`,
    [count],
  );
  await client.query('UPDATE org SET channel_version = (SELECT max(version) FROM channel_revision)');
  await client.query('ANALYZE channel, channel_revision');
}

/** Organisations in which nothing happens; after it there are `to`. */
export async function addOrgs(client, from, to) {
  await client.query(
    `INSERT INTO org (id, name, time_zone, created_at, next_serial, last_change, channel_version, catalog_version, last_time)
     SELECT (5000000 + i)::text, 'Org ' || i, o.time_zone, o.created_at, o.next_serial, o.last_change, o.channel_version,
       o.catalog_version, o.last_time
     FROM (SELECT * FROM org ORDER BY id LIMIT 1) o, generate_series($1::int, $2::int - 1) i`,
    [from, to],
  );
  await client.query('VACUUM ANALYZE org');
}
