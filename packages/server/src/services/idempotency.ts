import { AppError } from '../domain/error.ts';
import { ANSWER_LIFE_MS, answerKey, type Idempotency } from '../domain/idempotency.ts';
import type { UserId } from '../domain/ids.ts';
import type { WorkingSet } from '../domain/working-set.ts';
import type { Command } from './writer.ts';

/** Whose keys are apart from all others': a user, or all operators of an organisation together. */
interface KeyOwner {
  readonly idempotency?: Idempotency;
  readonly user: { readonly id: UserId };
}

/**
 * The command, done once for the key that the caller gave with its request: the answer is committed with what it did, and
 * a repeated request gets it and does nothing. Throws INVALID_DATA for a key that another request used. A command that
 * throws keeps no answer. `Answer` must be plain JSON. Without a key: the command as it is.
 */
export function once<Answer>({ idempotency, user }: KeyOwner, command: Command<Answer>): Command<Answer> {
  if (!idempotency) return command;
  const { key, fingerprint } = idempotency;
  const { id: userId } = user;

  function decide(set: WorkingSet): Answer {
    const kept = set.answers.get(answerKey(userId, key));
    if (kept && set.now < kept.at + ANSWER_LIFE_MS) {
      if (kept.fingerprint === fingerprint) return JSON.parse(kept.answer) as Answer;
      throw new AppError('INVALID_DATA', 'the idempotency key was used for another request', {
        api_name: 'Idempotency-Key',
      });
    }
    const answer = command.decide(set);
    const fresh = { userId, key, fingerprint, answer: JSON.stringify(answer), at: set.now };
    set.answers.set(answerKey(userId, key), fresh);
    set.writes.answers.push(fresh);
    return answer;
  }

  return {
    needs: { ...command.needs, answers: [...(command.needs.answers ?? []), { userId, key }] },
    weight: command.weight + 1,
    decide,
  };
}
