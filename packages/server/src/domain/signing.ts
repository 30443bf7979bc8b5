import type { Channel, Signing } from './channel.ts';
import { amendChannel } from './working-channels.ts';
import type { WorkingSet } from './working-set.ts';

/** How long the former secret may sign beside the new one, at most: 30 days. */
export const MAX_KEEP_MS = 30 * 86_400_000;
/** How long it does when nothing is said. */
export const DEFAULT_KEEP_MS = 86_400_000;

/** A new secret, and how long the present one signs beside it. Times are real, as receivers judge by their own clocks. */
export interface SecretChange {
  readonly secret: string;
  readonly keepMs: number;
  /** Epoch ms. */
  readonly realNow: number;
}

/** The new secret signs at once; of those before, the last one goes on for a while. */
export function changedSecret(known: Signing | undefined, { secret, keepMs, realNow }: SecretChange): Signing {
  const hasFormer = known !== undefined && keepMs > 0;
  return {
    secret,
    since: realNow,
    ...(hasFormer && { former: { secret: known.secret, until: realNow + keepMs } }),
  };
}

/** Those that sign now: the present one first, then the former while it is good. */
export const liveSecrets = ({ secret, former }: Signing, realNow: number): readonly string[] =>
  former && realNow < former.until ? [secret, former.secret] : [secret];

/** Signs what the channel is sent from now on; undefined: no more, or as its organisation is signed for. */
export function signChannel(set: WorkingSet, channel: Channel, signing: Signing | undefined): Channel {
  const { signing: _before, ...rest } = channel;
  return amendChannel(set, { ...rest, ...(signing && { signing }) }, 'signing');
}

/** Signs what all channels of the organisation are sent that have no secret of their own. */
export function signOrg(set: WorkingSet, signing: Signing | undefined): void {
  set.orgSigning = signing;
  set.writes.orgSigning = signing ?? 'none';
}
