import { ANSWER_LIFE_MS, answerKey, type KeptAnswer } from '../domain/idempotency.ts';
import type { OrgId, UserId } from '../domain/ids.ts';
import type { Needs } from '../domain/working-set.ts';
import { insertRows, list, type Row, type Statement, sql, type Write } from './db.ts';
import { groupBy, lastOf } from './group.ts';
import { integer, text } from './rows.ts';

/** Most lapsed answers that one commit removes: more than it adds, so what has lapsed goes sooner or later. */
const PURGED_AT_ONCE = 200;

export const selectAnswers = (org: OrgId, answers: NonNullable<Needs['answers']>): Statement[] =>
  groupBy(answers, ({ userId }) => userId).map(
    ([userId, group]) => sql`
      SELECT user_id, key, fingerprint, answer, at FROM idempotency
      WHERE org_id = ${org} AND user_id = ${userId} AND key IN ${list(group.map(({ key }) => key))}`,
  );

export const readAnswer = (row: Row): KeptAnswer => ({
  userId: text<UserId>(row, 'user_id'),
  key: text(row, 'key'),
  fingerprint: text(row, 'fingerprint'),
  answer: text(row, 'answer'),
  at: integer(row, 'at'),
});

export function saveAnswers(org: OrgId, answers: readonly KeptAnswer[]): Write[] {
  const [first] = answers;
  if (!first) return [];
  return [
    sql`
      DELETE FROM idempotency WHERE org_id = ${org} AND at <= ${first.at - ANSWER_LIFE_MS} AND (user_id, key) IN (
        SELECT user_id, key FROM idempotency
        WHERE org_id = ${org} AND at <= ${first.at - ANSWER_LIFE_MS} ORDER BY at LIMIT ${PURGED_AT_ONCE})`,
    insertRows(
      'idempotency (org_id, user_id, key, fingerprint, answer, at)',
      lastOf(answers, ({ userId, key }) => answerKey(userId, key)).map(({ userId, key, fingerprint, answer, at }) => [
        org,
        userId,
        key,
        fingerprint,
        answer,
        at,
      ]),
      `ON CONFLICT (org_id, user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint,
        answer = excluded.answer, at = excluded.at`,
    ),
  ];
}
