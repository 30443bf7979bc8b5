-- Ids are TEXT, times are epoch milliseconds, JSON is TEXT as it was written. Tables of an organisation lead with org_id
-- in every key. COLLATE "C" everywhere: texts compare by their bytes, as they do on SQLite, whatever the database was
-- made with.

-- Facts about this store as a whole.
CREATE TABLE meta (
  name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);

-- Hot: its row is locked and its counters saved by each batch. No index holds a counter, so with room on the page an
-- update touches one page only (HOT) and old versions go without a vacuum; few rows are vacuumed often rather than by
-- their share.
CREATE TABLE org (
  id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  name            TEXT COLLATE "C" NOT NULL,
  time_zone       TEXT COLLATE "C" NOT NULL,
  created_at      BIGINT           NOT NULL,
  -- Set while it is served nothing; with erasing_at, until nothing of it is left.
  suspended_at    BIGINT,
  erasing_at      BIGINT,
  signing         TEXT COLLATE "C", -- sealed JSON
  lifecycle_url   TEXT COLLATE "C", -- sealed
  -- Counters, saved with each batch of its writer.
  next_serial     BIGINT           NOT NULL,
  last_change     BIGINT           NOT NULL,
  channel_version BIGINT           NOT NULL,
  catalog_version BIGINT           NOT NULL,
  last_time       BIGINT           NOT NULL,
  -- Revisions up to this one were told of.
  notices_to      BIGINT           NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE profile (
  org_id         TEXT COLLATE "C" NOT NULL,
  id             TEXT COLLATE "C" NOT NULL,
  name           TEXT COLLATE "C" NOT NULL,
  denied_modules TEXT COLLATE "C" NOT NULL, -- JSON list of API names
  PRIMARY KEY (org_id, id)
);

CREATE TABLE user_account (
  org_id     TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  email      TEXT COLLATE "C" NOT NULL,
  first_name TEXT COLLATE "C" NOT NULL,
  last_name  TEXT COLLATE "C" NOT NULL,
  profile_id TEXT COLLATE "C" NOT NULL,
  status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'inactive', 'removed')),
  created_at BIGINT           NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, profile_id) REFERENCES profile (org_id, id)
);

CREATE UNIQUE INDEX user_email ON user_account (org_id, lower(email)) WHERE status <> 'removed';

-- Directories over all organisations: they say to which one a caller belongs.
CREATE TABLE oauth_client (
  id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  org_id             TEXT COLLATE "C" NOT NULL,
  name               TEXT COLLATE "C" NOT NULL,
  secret_hash        TEXT COLLATE "C" NOT NULL,
  -- The secret before the last rotation, good until then (real time).
  former_secret_hash TEXT COLLATE "C",
  former_until       BIGINT,
  redirect_uris      TEXT COLLATE "C" NOT NULL, -- JSON list
  acting_user_id     TEXT COLLATE "C",
  created_at         BIGINT           NOT NULL
);

CREATE INDEX oauth_client_org ON oauth_client (org_id, created_at, id);

CREATE TABLE token (
  hash         TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- SHA-256; the token itself is not kept
  kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('grant', 'refresh', 'access', 'admin', 'sign-in')),
  org_id       TEXT COLLATE "C" NOT NULL,
  user_id      TEXT COLLATE "C",
  client_id    TEXT COLLATE "C",
  scopes       TEXT COLLATE "C" NOT NULL, -- JSON list
  redirect_uri TEXT COLLATE "C",
  -- What it was issued from: a client's id, or the hash of the token it was given for.
  source       TEXT COLLATE "C",
  is_online    SMALLINT         NOT NULL CHECK (is_online IN (0, 1)),
  expires_at   BIGINT,
  spent_at     BIGINT,
  created_at   BIGINT           NOT NULL
);

CREATE INDEX token_source ON token (source, kind, created_at) WHERE source IS NOT NULL;
CREATE INDEX token_user ON token (org_id, user_id, kind, created_at);
CREATE INDEX token_client ON token (client_id) WHERE client_id IS NOT NULL;
CREATE INDEX token_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;

-- Modules and fields that the organisation added. What is removed stays, so that its name and serial stay taken.
CREATE TABLE added_module (
  org_id      TEXT COLLATE "C" NOT NULL,
  api_name    TEXT COLLATE "C" NOT NULL,
  serial      BIGINT           NOT NULL,
  singular    TEXT COLLATE "C" NOT NULL,
  plural      TEXT COLLATE "C" NOT NULL,
  modified_at BIGINT           NOT NULL,
  removed_at  BIGINT,
  -- Its records live elsewhere: what changes there is told, and nothing is stored but that.
  is_external SMALLINT         NOT NULL CHECK (is_external IN (0, 1)),
  PRIMARY KEY (org_id, api_name)
);

CREATE TABLE added_field (
  org_id      TEXT COLLATE "C" NOT NULL,
  module      TEXT COLLATE "C" NOT NULL,
  api_name    TEXT COLLATE "C" NOT NULL,
  serial      BIGINT           NOT NULL,
  definition  TEXT COLLATE "C" NOT NULL, -- JSON object
  modified_at BIGINT           NOT NULL,
  removed_at  BIGINT,
  PRIMARY KEY (org_id, module, api_name)
);

CREATE TABLE record (
  org_id       TEXT COLLATE "C" NOT NULL,
  module       TEXT COLLATE "C" NOT NULL,
  id           TEXT COLLATE "C" NOT NULL,
  field_values TEXT COLLATE "C" NOT NULL, -- JSON object by API name
  created_at   BIGINT           NOT NULL,
  created_by   TEXT COLLATE "C" NOT NULL,
  modified_at  BIGINT           NOT NULL,
  modified_by  TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (org_id, module, id)
) WITH (fillfactor = 90);

CREATE INDEX record_modified ON record (org_id, module, modified_at, id);

-- Records that were deleted. What restoring needs is there while field_values is: afterwards they are gone for good.
CREATE TABLE deleted_record (
  org_id       TEXT COLLATE "C" NOT NULL,
  id           TEXT COLLATE "C" NOT NULL,
  module       TEXT COLLATE "C" NOT NULL,
  deleted_at   BIGINT           NOT NULL,
  deleted_by   TEXT COLLATE "C",
  display_name TEXT COLLATE "C",
  field_values TEXT COLLATE "C",
  created_at   BIGINT,
  created_by   TEXT COLLATE "C",
  modified_at  BIGINT,
  modified_by  TEXT COLLATE "C",
  PRIMARY KEY (org_id, id)
);

CREATE INDEX deleted_record_module ON deleted_record (org_id, module, deleted_at, id);
CREATE INDEX deleted_record_time ON deleted_record (org_id, deleted_at, id);
CREATE INDEX deleted_record_bin ON deleted_record (org_id, deleted_at, id) WHERE field_values IS NOT NULL;

-- Look-ups for unique, duplicate-check, email, phone and lookup fields; value is folded, of a lookup the id.
CREATE TABLE record_key (
  org_id    TEXT COLLATE "C" NOT NULL,
  module    TEXT COLLATE "C" NOT NULL,
  field     TEXT COLLATE "C" NOT NULL,
  value     TEXT COLLATE "C" NOT NULL,
  record_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (org_id, module, field, value, record_id)
);

-- The change log: stored once, its notifications refer to it.
CREATE TABLE record_change (
  org_id     TEXT COLLATE "C" NOT NULL,
  number     BIGINT           NOT NULL,
  module     TEXT COLLATE "C" NOT NULL,
  operation  TEXT COLLATE "C" NOT NULL CHECK (operation IN ('insert', 'update', 'delete')),
  at         BIGINT           NOT NULL,
  changed_by TEXT COLLATE "C" NOT NULL,
  records    TEXT COLLATE "C" NOT NULL, -- JSON list
  numbered   TEXT COLLATE "C" NOT NULL, -- JSON object: by generation the highest number that it gave
  -- It was matched against channels as this revision left them.
  channel_version BIGINT NOT NULL,
  PRIMARY KEY (org_id, number)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- By record the changes that are about it: its own, and those of records that point, or pointed, at it; and by subject
-- module the changes that notifications are about. A subject is a number made of a module and a record's id, or of a module
-- alone (storage/subjects.ts): there are so many rows that their keys are kept short.
CREATE TABLE change_subject (
  org_id        TEXT COLLATE "C" NOT NULL,
  subject       BIGINT NOT NULL,
  change_number BIGINT NOT NULL,
  PRIMARY KEY (org_id, subject, change_number)
);

-- Subject module and operation are its own; ids are the part of the change that it is about. Written when it is numbered
-- and once more when it ends; what happens in between stands in owed.
-- Each row is updated once, soon after it came, all of a page in one transaction: where half of the page is left for that
-- it is HOT, and neither of the indexes is touched.
CREATE TABLE notification (
  org_id        TEXT COLLATE "C" NOT NULL,
  generation    TEXT COLLATE "C" NOT NULL,
  number        BIGINT           NOT NULL,
  id            TEXT COLLATE "C" NOT NULL,
  change_number BIGINT           NOT NULL,
  module        TEXT COLLATE "C" NOT NULL,
  operation     TEXT COLLATE "C" NOT NULL CHECK (operation IN ('insert', 'update', 'delete')),
  ids           TEXT COLLATE "C" NOT NULL, -- JSON list
  version       TEXT COLLATE "C" NOT NULL,
  with_values   SMALLINT         NOT NULL CHECK (with_values IN (0, 1)),
  state         TEXT COLLATE "C" NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'delivered', 'parked', 'cancelled')),
  reason        TEXT COLLATE "C", -- of a cancelled one
  attempts_made BIGINT           NOT NULL DEFAULT 0,
  settled_at    BIGINT, -- since when it is not pending
  job           TEXT COLLATE "C", -- that re-matched it
  PRIMARY KEY (org_id, generation, number)
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX notification_id ON notification (org_id, id);
-- Those that the change itself did not number.
CREATE INDEX notification_rematched ON notification (org_id, change_number, generation, number) WHERE job IS NOT NULL;

-- The outbox: a row for each notification that is pending, and none for any other. All that is looked for is found here.
-- A queue: rows come and go, and it is small unless receivers fail. What went is vacuumed by number, not by share, and
-- without pauses, so that whoever reads from the front does not step over what is long gone. A retry is HOT.
CREATE TABLE owed (
  org_id        TEXT COLLATE "C" NOT NULL,
  generation    TEXT COLLATE "C" NOT NULL,
  number        BIGINT           NOT NULL,
  change_number BIGINT           NOT NULL,
  attempts_made BIGINT           NOT NULL DEFAULT 0,
  due_at        BIGINT,
  PRIMARY KEY (org_id, generation, number)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_vacuum_cost_delay = 0);

-- A row for each notification that is parked or cancelled, and none for any other: an index on notification that holds its
-- state would have each settlement touch all of its indexes.
CREATE TABLE undelivered (
  org_id     TEXT COLLATE "C" NOT NULL,
  generation TEXT COLLATE "C" NOT NULL,
  number     BIGINT NOT NULL,
  state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('parked', 'cancelled')),
  reason     TEXT COLLATE "C", -- of a cancelled one
  settled_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, generation, number)
);

CREATE INDEX undelivered_state ON undelivered (org_id, state, settled_at, generation, number);

CREATE TABLE attempt (
  org_id      TEXT COLLATE "C" NOT NULL,
  generation  TEXT COLLATE "C" NOT NULL,
  number      BIGINT NOT NULL,
  attempt     BIGINT NOT NULL,
  at          BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL,
  kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('delivered', 'rejected', 'unreachable', 'forbidden')),
  outcome     TEXT COLLATE "C" NOT NULL, -- JSON object
  address     TEXT COLLATE "C", -- IP address and port that it was sent to; none when there was no connection
  sent_ms     BIGINT, -- from its begin until it was written to a connection
  answered_ms BIGINT, -- until the status line and the headers had come
  job         TEXT COLLATE "C", -- that sent it again
  PRIMARY KEY (org_id, generation, number, attempt)
);

CREATE INDEX attempt_failed ON attempt (org_id, at, generation, number, attempt) WHERE kind <> 'delivered';

-- One row for each generation. notify_url, token and signing are sealed under the secret key.
-- last_number is saved by each batch that concerns the channel, and no index holds it: with room on the page the update
-- is HOT.
CREATE TABLE channel (
  org_id            TEXT COLLATE "C" NOT NULL,
  generation        TEXT COLLATE "C" NOT NULL,
  user_id           TEXT COLLATE "C" NOT NULL,
  channel_id        TEXT COLLATE "C" NOT NULL,
  version           TEXT COLLATE "C" NOT NULL,
  events            TEXT COLLATE "C" NOT NULL, -- JSON list
  notify_on_related SMALLINT         NOT NULL CHECK (notify_on_related IN (0, 1)),
  with_values       SMALLINT         NOT NULL CHECK (with_values IN (0, 1)),
  conditions        TEXT COLLATE "C" NOT NULL, -- JSON list
  expires_at        BIGINT           NOT NULL,
  notify_url        TEXT COLLATE "C" NOT NULL,
  token             TEXT COLLATE "C",
  client_id         TEXT COLLATE "C",
  last_number       BIGINT           NOT NULL,
  opened_at         BIGINT           NOT NULL,
  modified_at       BIGINT           NOT NULL,
  lapsed_from       BIGINT,
  -- What was owed up to this number is cancelled, though its rows say pending.
  cancelled_to      BIGINT,
  cancelled_why     TEXT COLLATE "C",
  overflow_from     BIGINT,
  suspended_at      BIGINT,
  suspended_why     TEXT COLLATE "C",
  signing           TEXT COLLATE "C", -- sealed JSON
  -- Most attempts at once; NULL: as many as any.
  concurrency       BIGINT,
  lifecycle_url     TEXT COLLATE "C", -- sealed
  -- When it is next told of that it expires; NULL: no more.
  notice_at         BIGINT,
  epoch             BIGINT           NOT NULL,
  restarts          TEXT COLLATE "C" NOT NULL, -- JSON list
  ended_at          BIGINT,
  ended_reason      TEXT COLLATE "C",
  PRIMARY KEY (org_id, generation)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE UNIQUE INDEX channel_current ON channel (org_id, user_id, channel_id) WHERE ended_at IS NULL;
CREATE INDEX channel_user ON channel (org_id, user_id, generation);
CREATE INDEX channel_name ON channel (org_id, channel_id, user_id, generation);
CREATE INDEX channel_client ON channel (org_id, client_id, user_id, channel_id) WHERE ended_at IS NULL;
CREATE INDEX channel_notice ON channel (org_id, notice_at) WHERE notice_at IS NOT NULL;
CREATE INDEX channel_live ON channel (org_id, opened_at, generation) WHERE ended_at IS NULL AND lapsed_from IS NULL;

-- How a channel has failed since its last success; one that is well has no row.
CREATE TABLE channel_health (
  org_id          TEXT COLLATE "C" NOT NULL,
  generation      TEXT COLLATE "C" NOT NULL,
  failing_since   BIGINT           NOT NULL,
  failed_attempts BIGINT           NOT NULL,
  last_failed_at  BIGINT           NOT NULL,
  failed_numbers  TEXT COLLATE "C" NOT NULL, -- JSON list of the first few different ones
  PRIMARY KEY (org_id, generation)
);

CREATE TABLE channel_revision (
  org_id     TEXT COLLATE "C" NOT NULL,
  version    BIGINT           NOT NULL,
  at         BIGINT           NOT NULL,
  kind       TEXT COLLATE "C" NOT NULL,
  generation TEXT COLLATE "C" NOT NULL,
  snapshot   TEXT COLLATE "C" NOT NULL, -- JSON object; holds no secret
  details    TEXT COLLATE "C", -- JSON object: what it tells beside that
  PRIMARY KEY (org_id, version)
);

CREATE INDEX channel_revision_generation ON channel_revision (org_id, generation, version);

-- Changes that a channel did not see, because it had expired or owed too much: from_change exclusive, to_change
-- inclusive, open while NULL.
CREATE TABLE lapse (
  org_id      TEXT COLLATE "C" NOT NULL,
  generation  TEXT COLLATE "C" NOT NULL,
  from_change BIGINT           NOT NULL,
  kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('expired', 'overflow')),
  to_change   BIGINT,
  at          BIGINT           NOT NULL,
  ended_at    BIGINT,
  rematched_to BIGINT, -- the last change of it that was matched again
  PRIMARY KEY (org_id, generation, from_change, kind)
);

-- Numbers of notifications that were never delivered and that retention removed, with why; both ends inclusive.
CREATE TABLE removed_range (
  org_id      TEXT COLLATE "C" NOT NULL,
  generation  TEXT COLLATE "C" NOT NULL,
  from_number BIGINT           NOT NULL,
  to_number   BIGINT           NOT NULL,
  reason      TEXT COLLATE "C" NOT NULL,
  at          BIGINT           NOT NULL, -- of the newest removal
  PRIMARY KEY (org_id, generation, from_number)
);

-- What is sent or matched again, bit by bit: the row says how far it has come.
CREATE TABLE job (
  org_id     TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('redeliver', 'replay', 'rematch')),
  generation TEXT COLLATE "C" NOT NULL,
  state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('running', 'paused', 'done', 'failed', 'cancelled')),
  request    TEXT COLLATE "C" NOT NULL, -- JSON object
  progress   TEXT COLLATE "C" NOT NULL, -- JSON object
  note       TEXT COLLATE "C", -- why it stands, or failed
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
);

CREATE INDEX job_running ON job (org_id, generation, id) WHERE state = 'running';
CREATE INDEX job_channel ON job (org_id, generation, id);

-- How far readers of the pull feed have come.
CREATE TABLE feed_cursor (
  org_id     TEXT COLLATE "C" NOT NULL,
  generation TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  number     BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (org_id, generation, name)
);

-- What is told of the life of channels.
CREATE TABLE notice (
  org_id        TEXT COLLATE "C" NOT NULL,
  version       BIGINT NOT NULL, -- of the channel revision that it tells of
  part          BIGINT NOT NULL, -- a revision may tell of several things; from 0
  id            TEXT COLLATE "C" NOT NULL,
  generation    TEXT COLLATE "C" NOT NULL,
  kind          TEXT COLLATE "C" NOT NULL,
  body          TEXT COLLATE "C" NOT NULL, -- JSON object, as it is sent
  state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'parked')),
  at            BIGINT NOT NULL,
  attempts_made BIGINT NOT NULL,
  due_at        BIGINT NOT NULL,
  outcome       TEXT COLLATE "C", -- JSON object: of its last attempt
  PRIMARY KEY (org_id, version, part)
);

CREATE INDEX notice_due ON notice (org_id, due_at, version, part) WHERE state = 'pending';

-- Answers to writes whose callers gave a key, kept for 24 hours.
CREATE TABLE idempotency (
  org_id      TEXT COLLATE "C" NOT NULL,
  user_id     TEXT COLLATE "C" NOT NULL,
  key         TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL, -- SHA-256 of the request
  answer      TEXT COLLATE "C" NOT NULL, -- JSON
  at          BIGINT           NOT NULL,
  PRIMARY KEY (org_id, user_id, key)
);

CREATE INDEX idempotency_age ON idempotency (org_id, at);

-- What a large store looks like, so that the planner takes the longest key from the first row on: it is told that these
-- columns do not tell rows apart, also by every later ANALYZE. A few rows let the first one take note of it; they are too
-- few to have the server look at the tables again while these are empty, which it would then plan for.
DO $$
DECLARE
  col record;
BEGIN
  FOR col IN
    SELECT a.attrelid::regclass AS of, a.attname AS name
    FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r'
      AND a.attname IN ('org_id', 'generation', 'module', 'user_id', 'client_id', 'field')
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET (n_distinct = 1)', col.of, col.name);
  END LOOP;
END $$;

INSERT INTO record SELECT '', '', n::text, '', 0, '', 0, '' FROM generate_series(1, 20) n;
INSERT INTO deleted_record SELECT '', n::text, '', 0 FROM generate_series(1, 20) n;
INSERT INTO record_key SELECT '', '', '', '', n::text FROM generate_series(1, 20) n;
INSERT INTO record_change SELECT '', n, '', 'insert', 0, '', '', '', 0 FROM generate_series(1, 20) n;
INSERT INTO notification
  SELECT '', '', n, n::text, n, '', 'insert', '', '', 0, 'pending', '', 0 FROM generate_series(1, 20) n;
INSERT INTO owed SELECT '', '', n, n, 0 FROM generate_series(1, 20) n;
INSERT INTO change_subject SELECT '', n, n FROM generate_series(1, 20) n;
INSERT INTO undelivered SELECT '', '', n, 'parked', NULL, n FROM generate_series(1, 20) n;
INSERT INTO attempt SELECT '', '', n, 1, n, 0, 'rejected', '' FROM generate_series(1, 20) n;
INSERT INTO channel
  SELECT '', n::text, '', n::text, '', '', 0, 0, '', 0, '', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, n, 0, '' FROM generate_series(1, 20) n;
INSERT INTO channel_health SELECT '', n::text, 0, 0, 0, '' FROM generate_series(1, 20) n;
INSERT INTO channel_revision SELECT '', n, 0, '', '', '' FROM generate_series(1, 20) n;
INSERT INTO lapse SELECT '', '', n, 'expired', 0, 0 FROM generate_series(1, 20) n;
INSERT INTO job SELECT '', n::text, 'replay', '', 'running', '', '', NULL, '', 0, 0 FROM generate_series(1, 20) n;
INSERT INTO feed_cursor SELECT '', '', n::text, 0, 0 FROM generate_series(1, 20) n;
INSERT INTO notice SELECT '', n, 0, '', '', '', '', 'pending', 0, 0, n FROM generate_series(1, 20) n;
INSERT INTO removed_range SELECT '', '', n, 0, '', 0 FROM generate_series(1, 20) n;
INSERT INTO idempotency SELECT '', '', n::text, '', '', 0 FROM generate_series(1, 20) n;
ANALYZE record, deleted_record, record_key, record_change, change_subject, notification, owed, undelivered,
  attempt, channel, channel_health, channel_revision, lapse, removed_range, job, feed_cursor, notice, idempotency;
DELETE FROM record;
DELETE FROM deleted_record;
DELETE FROM record_key;
DELETE FROM record_change;
DELETE FROM change_subject;
DELETE FROM notification;
DELETE FROM owed;
DELETE FROM undelivered;
DELETE FROM attempt;
DELETE FROM channel;
DELETE FROM channel_health;
DELETE FROM channel_revision;
DELETE FROM lapse;
DELETE FROM removed_range;
DELETE FROM job;
DELETE FROM feed_cursor;
DELETE FROM notice;
DELETE FROM idempotency;

-- Processes that share this database.
CREATE TABLE node (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  -- Until then what it owns is its own (the database's time).
  lease_until BIGINT           NOT NULL,
  is_leaving  SMALLINT         NOT NULL CHECK (is_leaving IN (0, 1)),
  -- Id of the secret key under which it encrypts.
  key_id      TEXT COLLATE "C" NOT NULL DEFAULT ''
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Who sends for the channels of a bucket. Its epoch is raised by each change of the owner.
CREATE TABLE bucket (
  bucket  BIGINT NOT NULL PRIMARY KEY,
  node    TEXT COLLATE "C",
  epoch   BIGINT NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

INSERT INTO bucket (bucket, epoch) SELECT number, 0 FROM generate_series(0, 63) AS buckets (number);

-- Begins a transaction that is saved only if these leases, each `bucket:epoch`, still hold at its end: while it is under
-- way no owner changes. The number is that of all changes of owners (engines/postgres-leases.ts).
CREATE FUNCTION hold_leases(leases TEXT[]) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7748327002);
  IF EXISTS (
    SELECT 1 FROM unnest(leases) AS held (lease)
    WHERE NOT EXISTS (
      SELECT 1 FROM bucket b
      WHERE b.bucket = split_part(held.lease, ':', 1)::bigint AND b.epoch = split_part(held.lease, ':', 2)::bigint)
  ) THEN
    RAISE EXCEPTION 'another node has taken over a bucket, so nothing is saved for it' USING ERRCODE = 'WB001';
  END IF;
END
$$;

-- Behind a pooler: has the transaction fail, as on a server that goes down, if this is not the one that its data are known
-- to be of.
CREATE FUNCTION hold_timeline(timeline TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF pg_is_in_recovery() OR left(pg_walfile_name(pg_current_wal_lsn()), 8) <> timeline THEN
    RAISE EXCEPTION 'the database was promoted, or is a standby' USING ERRCODE = '57P03';
  END IF;
END
$$;
