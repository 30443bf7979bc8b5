-- Ids are TEXT, times are epoch milliseconds, JSON is TEXT as it was written. Tables of an organisation lead with org_id
-- in every key.
-- A check of three words or more is written with OR: for a list in IN, SQLite makes a temporary table at each statement.

-- Facts about this store as a whole.
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE org (
  id              TEXT    NOT NULL PRIMARY KEY,
  name            TEXT    NOT NULL,
  time_zone       TEXT    NOT NULL,
  created_at      INTEGER NOT NULL,
  -- Set while it is served nothing; with erasing_at, until nothing of it is left.
  suspended_at    INTEGER,
  erasing_at      INTEGER,
  signing         TEXT, -- sealed JSON
  lifecycle_url   TEXT, -- sealed
  -- Counters, saved with each batch of its writer.
  next_serial     INTEGER NOT NULL,
  last_change     INTEGER NOT NULL,
  channel_version INTEGER NOT NULL,
  catalog_version INTEGER NOT NULL,
  last_time       INTEGER NOT NULL,
  -- Revisions up to this one were told of.
  notices_to      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
  org_id         TEXT NOT NULL,
  id             TEXT NOT NULL,
  name           TEXT NOT NULL,
  denied_modules TEXT NOT NULL, -- JSON list of API names
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_account (
  org_id     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  email      TEXT    NOT NULL,
  first_name TEXT    NOT NULL,
  last_name  TEXT    NOT NULL,
  profile_id TEXT    NOT NULL,
  status     TEXT    NOT NULL CHECK (status = 'active' OR status = 'inactive' OR status = 'removed'),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, profile_id) REFERENCES profile (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX user_email ON user_account (org_id, lower(email)) WHERE status <> 'removed';

-- Directories over all organisations: they say to which one a caller belongs.
CREATE TABLE oauth_client (
  id                 TEXT    NOT NULL PRIMARY KEY,
  org_id             TEXT    NOT NULL,
  name               TEXT    NOT NULL,
  secret_hash        TEXT    NOT NULL,
  -- The secret before the last rotation, good until then (real time).
  former_secret_hash TEXT,
  former_until       INTEGER,
  redirect_uris      TEXT    NOT NULL, -- JSON list
  acting_user_id     TEXT,
  created_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_client_org ON oauth_client (org_id, created_at, id);

CREATE TABLE token (
  hash         TEXT    NOT NULL PRIMARY KEY, -- SHA-256; the token itself is not kept
  kind         TEXT    NOT NULL CHECK (kind = 'grant' OR kind = 'refresh' OR kind = 'access' OR kind = 'admin' OR kind = 'sign-in'),
  org_id       TEXT    NOT NULL,
  user_id      TEXT,
  client_id    TEXT,
  scopes       TEXT    NOT NULL, -- JSON list
  redirect_uri TEXT,
  -- What it was issued from: a client's id, or the hash of the token it was given for.
  source       TEXT,
  is_online    INTEGER NOT NULL CHECK (is_online IN (0, 1)),
  expires_at   INTEGER,
  spent_at     INTEGER,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX token_source ON token (source, kind, created_at) WHERE source IS NOT NULL;
CREATE INDEX token_user ON token (org_id, user_id, kind, created_at);
CREATE INDEX token_client ON token (client_id) WHERE client_id IS NOT NULL;
CREATE INDEX token_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;

-- Modules and fields that the organisation added. What is removed stays, so that its name and serial stay taken.
CREATE TABLE added_module (
  org_id      TEXT    NOT NULL,
  api_name    TEXT    NOT NULL,
  serial      INTEGER NOT NULL,
  singular    TEXT    NOT NULL,
  plural      TEXT    NOT NULL,
  modified_at INTEGER NOT NULL,
  removed_at  INTEGER,
  -- Its records live elsewhere: what changes there is told, and nothing is stored but that.
  is_external INTEGER NOT NULL CHECK (is_external IN (0, 1)),
  PRIMARY KEY (org_id, api_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE added_field (
  org_id      TEXT    NOT NULL,
  module      TEXT    NOT NULL,
  api_name    TEXT    NOT NULL,
  serial      INTEGER NOT NULL,
  definition  TEXT    NOT NULL, -- JSON object
  modified_at INTEGER NOT NULL,
  removed_at  INTEGER,
  PRIMARY KEY (org_id, module, api_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
  org_id       TEXT    NOT NULL,
  module       TEXT    NOT NULL,
  id           TEXT    NOT NULL,
  field_values TEXT    NOT NULL, -- JSON object by API name
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  modified_at  INTEGER NOT NULL,
  modified_by  TEXT    NOT NULL,
  PRIMARY KEY (org_id, module, id)
) STRICT;

CREATE INDEX record_modified ON record (org_id, module, modified_at, id);

-- Records that were deleted. What restoring needs is there while field_values is: afterwards they are gone for good.
CREATE TABLE deleted_record (
  org_id       TEXT    NOT NULL,
  id           TEXT    NOT NULL,
  module       TEXT    NOT NULL,
  deleted_at   INTEGER NOT NULL,
  deleted_by   TEXT,
  display_name TEXT,
  field_values TEXT,
  created_at   INTEGER,
  created_by   TEXT,
  modified_at  INTEGER,
  modified_by  TEXT,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX deleted_record_module ON deleted_record (org_id, module, deleted_at, id);
CREATE INDEX deleted_record_time ON deleted_record (org_id, deleted_at, id);
CREATE INDEX deleted_record_bin ON deleted_record (org_id, deleted_at, id) WHERE field_values IS NOT NULL;

-- Look-ups for unique, duplicate-check, email, phone and lookup fields; value is folded, of a lookup the id.
CREATE TABLE record_key (
  org_id    TEXT NOT NULL,
  module    TEXT NOT NULL,
  field     TEXT NOT NULL,
  value     TEXT NOT NULL,
  record_id TEXT NOT NULL,
  PRIMARY KEY (org_id, module, field, value, record_id)
) STRICT, WITHOUT ROWID;

-- The change log: stored once, its notifications refer to it.
CREATE TABLE record_change (
  org_id     TEXT    NOT NULL,
  number     INTEGER NOT NULL,
  module     TEXT    NOT NULL,
  operation  TEXT    NOT NULL CHECK (operation = 'insert' OR operation = 'update' OR operation = 'delete'),
  at         INTEGER NOT NULL,
  changed_by TEXT    NOT NULL,
  records    TEXT    NOT NULL, -- JSON list
  numbered   TEXT    NOT NULL, -- JSON object: by generation the highest number that it gave
  -- It was matched against channels as this revision left them.
  channel_version INTEGER NOT NULL,
  PRIMARY KEY (org_id, number)
) STRICT;

-- By record the changes that are about it: its own, and those of records that point, or pointed, at it; and by subject
-- module the changes that notifications are about. A subject is a number made of a module and a record's id, or of a module
-- alone (storage/subjects.ts): there are so many rows that their keys are kept short.
CREATE TABLE change_subject (
  org_id        TEXT NOT NULL,
  subject       INTEGER NOT NULL,
  change_number INTEGER NOT NULL,
  PRIMARY KEY (org_id, subject, change_number)
) STRICT, WITHOUT ROWID;

-- Subject module and operation are its own; ids are the part of the change that it is about. Written when it is numbered
-- and once more when it ends; what happens in between stands in owed.
CREATE TABLE notification (
  org_id        TEXT    NOT NULL,
  generation    TEXT    NOT NULL,
  number        INTEGER NOT NULL,
  id            TEXT    NOT NULL,
  change_number INTEGER NOT NULL,
  module        TEXT    NOT NULL,
  operation     TEXT    NOT NULL CHECK (operation = 'insert' OR operation = 'update' OR operation = 'delete'),
  ids           TEXT    NOT NULL, -- JSON list
  version       TEXT    NOT NULL,
  with_values   INTEGER NOT NULL CHECK (with_values IN (0, 1)),
  state         TEXT    NOT NULL DEFAULT 'pending' CHECK (state = 'pending' OR state = 'delivered' OR state = 'parked' OR state = 'cancelled'),
  reason        TEXT, -- of a cancelled one
  attempts_made INTEGER NOT NULL DEFAULT 0,
  settled_at    INTEGER, -- since when it is not pending
  job           TEXT, -- that re-matched it
  PRIMARY KEY (org_id, generation, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX notification_id ON notification (org_id, id);
-- Those that the change itself did not number.
CREATE INDEX notification_rematched ON notification (org_id, change_number, generation, number) WHERE job IS NOT NULL;

-- The outbox: a row for each notification that is pending, and none for any other. All that is looked for is found here.
CREATE TABLE owed (
  org_id        TEXT    NOT NULL,
  generation    TEXT    NOT NULL,
  number        INTEGER NOT NULL,
  change_number INTEGER NOT NULL,
  attempts_made INTEGER NOT NULL DEFAULT 0,
  due_at        INTEGER,
  PRIMARY KEY (org_id, generation, number)
) STRICT, WITHOUT ROWID;

-- A row for each notification that is parked or cancelled, and none for any other: an index on notification that holds its
-- state would have each settlement touch all of its indexes.
CREATE TABLE undelivered (
  org_id     TEXT NOT NULL,
  generation TEXT NOT NULL,
  number     INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('parked', 'cancelled')),
  reason     TEXT, -- of a cancelled one
  settled_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, generation, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX undelivered_state ON undelivered (org_id, state, settled_at, generation, number);

CREATE TABLE attempt (
  org_id      TEXT NOT NULL,
  generation  TEXT NOT NULL,
  number      INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  kind        TEXT NOT NULL CHECK (kind = 'delivered' OR kind = 'rejected' OR kind = 'unreachable' OR kind = 'forbidden'),
  outcome     TEXT NOT NULL, -- JSON object
  address     TEXT, -- IP address and port that it was sent to; none when there was no connection
  sent_ms     INTEGER, -- from its begin until it was written to a connection
  answered_ms INTEGER, -- until the status line and the headers had come
  job         TEXT, -- that sent it again
  PRIMARY KEY (org_id, generation, number, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_failed ON attempt (org_id, at, generation, number, attempt) WHERE kind <> 'delivered';

-- One row for each generation. notify_url, token and signing are sealed under the secret key.
CREATE TABLE channel (
  org_id            TEXT    NOT NULL,
  generation        TEXT    NOT NULL,
  user_id           TEXT    NOT NULL,
  channel_id        TEXT    NOT NULL,
  version           TEXT    NOT NULL,
  events            TEXT    NOT NULL, -- JSON list
  notify_on_related INTEGER NOT NULL CHECK (notify_on_related IN (0, 1)),
  with_values       INTEGER NOT NULL CHECK (with_values IN (0, 1)),
  conditions        TEXT    NOT NULL, -- JSON list
  expires_at        INTEGER NOT NULL,
  notify_url        TEXT    NOT NULL,
  token             TEXT,
  client_id         TEXT,
  last_number       INTEGER NOT NULL,
  opened_at         INTEGER NOT NULL,
  modified_at       INTEGER NOT NULL,
  lapsed_from       INTEGER,
  -- What was owed up to this number is cancelled, though its rows say pending.
  cancelled_to      INTEGER,
  cancelled_why     TEXT,
  overflow_from     INTEGER,
  suspended_at      INTEGER,
  suspended_why     TEXT,
  signing           TEXT, -- sealed JSON
  -- Most attempts at once; NULL: as many as any.
  concurrency       INTEGER,
  lifecycle_url     TEXT, -- sealed
  -- When it is next told of that it expires; NULL: no more.
  notice_at         INTEGER,
  epoch             INTEGER NOT NULL,
  restarts          TEXT    NOT NULL, -- JSON list
  ended_at          INTEGER,
  ended_reason      TEXT,
  PRIMARY KEY (org_id, generation)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX channel_current ON channel (org_id, user_id, channel_id) WHERE ended_at IS NULL;
CREATE INDEX channel_user ON channel (org_id, user_id, generation);
CREATE INDEX channel_name ON channel (org_id, channel_id, user_id, generation);
CREATE INDEX channel_client ON channel (org_id, client_id, user_id, channel_id) WHERE ended_at IS NULL;
CREATE INDEX channel_notice ON channel (org_id, notice_at) WHERE notice_at IS NOT NULL;
CREATE INDEX channel_live ON channel (org_id, opened_at, generation) WHERE ended_at IS NULL AND lapsed_from IS NULL;

-- How a channel has failed since its last success; one that is well has no row.
CREATE TABLE channel_health (
  org_id          TEXT    NOT NULL,
  generation      TEXT    NOT NULL,
  failing_since   INTEGER NOT NULL,
  failed_attempts INTEGER NOT NULL,
  last_failed_at  INTEGER NOT NULL,
  failed_numbers  TEXT    NOT NULL, -- JSON list of the first few different ones
  PRIMARY KEY (org_id, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_revision (
  org_id     TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  generation TEXT    NOT NULL,
  snapshot   TEXT    NOT NULL, -- JSON object; holds no secret
  details    TEXT, -- JSON object: what it tells beside that
  PRIMARY KEY (org_id, version)
) STRICT;

CREATE INDEX channel_revision_generation ON channel_revision (org_id, generation, version);

-- Changes that a channel did not see, because it had expired or owed too much: from_change exclusive, to_change
-- inclusive, open while NULL.
CREATE TABLE lapse (
  org_id      TEXT    NOT NULL,
  generation  TEXT    NOT NULL,
  from_change INTEGER NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind IN ('expired', 'overflow')),
  to_change   INTEGER,
  at          INTEGER NOT NULL,
  ended_at    INTEGER,
  rematched_to INTEGER, -- the last change of it that was matched again
  PRIMARY KEY (org_id, generation, from_change, kind)
) STRICT, WITHOUT ROWID;

-- Numbers of notifications that were never delivered and that retention removed, with why; both ends inclusive.
CREATE TABLE removed_range (
  org_id      TEXT    NOT NULL,
  generation  TEXT    NOT NULL,
  from_number INTEGER NOT NULL,
  to_number   INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  at          INTEGER NOT NULL, -- of the newest removal
  PRIMARY KEY (org_id, generation, from_number)
) STRICT, WITHOUT ROWID;

-- What is sent or matched again, bit by bit: the row says how far it has come.
CREATE TABLE job (
  org_id     TEXT NOT NULL,
  id         TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind = 'redeliver' OR kind = 'replay' OR kind = 'rematch'),
  generation TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state = 'running' OR state = 'paused' OR state = 'done' OR state = 'failed' OR state = 'cancelled'),
  request    TEXT NOT NULL, -- JSON object
  progress   TEXT NOT NULL, -- JSON object
  note       TEXT, -- why it stands, or failed
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_running ON job (org_id, generation, id) WHERE state = 'running';
CREATE INDEX job_channel ON job (org_id, generation, id);

-- How far readers of the pull feed have come.
CREATE TABLE feed_cursor (
  org_id     TEXT NOT NULL,
  generation TEXT NOT NULL,
  name       TEXT NOT NULL,
  number     INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (org_id, generation, name)
) STRICT, WITHOUT ROWID;

-- What is told of the life of channels.
CREATE TABLE notice (
  org_id        TEXT NOT NULL,
  version       INTEGER NOT NULL, -- of the channel revision that it tells of
  part          INTEGER NOT NULL, -- a revision may tell of several things; from 0
  id            TEXT NOT NULL,
  generation    TEXT NOT NULL,
  kind          TEXT NOT NULL,
  body          TEXT NOT NULL, -- JSON object, as it is sent
  state         TEXT NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'parked'),
  at            INTEGER NOT NULL,
  attempts_made INTEGER NOT NULL,
  due_at        INTEGER NOT NULL,
  outcome       TEXT, -- JSON object: of its last attempt
  PRIMARY KEY (org_id, version, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX notice_due ON notice (org_id, due_at, version, part) WHERE state = 'pending';

-- Answers to writes whose callers gave a key, kept for 24 hours.
CREATE TABLE idempotency (
  org_id      TEXT    NOT NULL,
  user_id     TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL, -- SHA-256 of the request
  answer      TEXT    NOT NULL, -- JSON
  at          INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (org_id, at);

-- What a large store looks like, so that SQLite chooses the longest key from the first row on: rows, then rows for each
-- prefix of the key.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('channel', 'channel', '1000000 10000 1'),
  ('channel', 'channel_current', '900000 9000 1000 1'),
  ('channel', 'channel_user', '1000000 10000 1000 1'),
  ('channel', 'channel_name', '1000000 10000 10 1 1'),
  ('channel', 'channel_client', '900000 9000 3000 1000 1'),
  ('channel', 'channel_live', '900000 9000 2 1'),
  ('channel_health', 'channel_health', '100000 1000 1'),
  ('channel_revision', 'sqlite_autoindex_channel_revision_1', '1000000 10000 1'),
  ('channel_revision', 'channel_revision_generation', '1000000 10000 10 1'),
  ('lapse', 'lapse', '100000 1000 2 1 1'),
  ('removed_range', 'removed_range', '100000 1000 2 1'),
  ('notification', 'notification', '10000000 1000000 10000 1'),
  ('notification', 'notification_id', '10000000 1000000 1'),
  ('owed', 'owed', '100000 10000 100 1'),
  ('undelivered', 'undelivered', '100000 10000 1000 1'),
  ('undelivered', 'undelivered_state', '100000 10000 5000 10 2 1'),
  ('notification', 'notification_rematched', '100000 10000 10 2 1'),
  ('attempt', 'attempt_failed', '1000000 100000 100 10 2 1'),
  ('change_subject', 'change_subject', '10000000 1000000 10 1'),
  ('channel', 'channel_notice', '900000 9000 2'),
  ('job', 'job', '10000 1000 1'),
  ('job', 'job_running', '100 10 2 1'),
  ('job', 'job_channel', '10000 1000 10 1'),
  ('feed_cursor', 'feed_cursor', '10000 1000 2 1'),
  ('notice', 'notice', '100000 10000 2 1'),
  ('notice', 'notice_due', '1000 100 10 2 1'),
  ('record_change', 'sqlite_autoindex_record_change_1', '1000000 100000 1'),
  ('record', 'sqlite_autoindex_record_1', '1000000 100000 20000 1'),
  ('record', 'record_modified', '1000000 100000 20000 2 1'),
  ('deleted_record', 'deleted_record', '100000 10000 1'),
  ('deleted_record', 'deleted_record_module', '100000 10000 2000 2 1'),
  ('deleted_record', 'deleted_record_time', '100000 10000 2 1'),
  ('deleted_record', 'deleted_record_bin', '50000 5000 2 1'),
  ('record_key', 'record_key', '1000000 100000 20000 20000 2 1'),
  ('idempotency', 'idempotency', '1000000 10000 1000 1'),
  ('idempotency', 'idempotency_age', '1000000 10000 2'),
  ('attempt', 'attempt', '10000000 1000000 10000 1 1');
ANALYZE sqlite_schema;
