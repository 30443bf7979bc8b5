import type { Signing } from '../domain/channel.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { requireStays } from '../domain/org.ts';
import { changedSecret, type SecretChange, signChannel, signOrg } from '../domain/signing.ts';
import { findGeneration } from '../domain/suspension.ts';
import type { WorkingSet } from '../domain/working-set.ts';
import type { AdministrationStore, DeliveryStore } from '../storage/store.ts';
import type { RandomBytes } from './secret.ts';
import type { Command, Writer } from './writer.ts';

/** Whose notifications are signed: of all channels of the organisation that have no secret of their own, or of one. */
export interface SigningOf {
  readonly org: OrgId;
  readonly generation?: Generation;
}

/** What may be shown of a signing at any time; times are real, epoch ms. */
export interface SigningView {
  /** Since when the present secret signs; undefined: nothing is signed (of a channel: as its organisation has it). */
  readonly since?: number;
  /** Until when the former one signs, too. */
  readonly formerUntil?: number;
}

/** Signatures of notifications, switched on, rotated and off by an operator; every act holds for the next attempt. */
export interface Signatures {
  show(of: SigningOf): Promise<SigningView>;
  /** Gives a new secret. The one before signs beside it for `keepMs`. The secret is in the answer and nowhere else. */
  renew(of: SigningOf, keepMs: number): Promise<SigningView & { readonly secret: string }>;
  /** One that is not signed stays so. */
  end(of: SigningOf): Promise<void>;
}

export interface SignaturesOptions {
  readonly writer: Writer;
  readonly channels: Pick<AdministrationStore, 'findChannel'>;
  readonly signings: Pick<DeliveryStore, 'signing'>;
  /** Epoch ms. */
  readonly realNow: () => number;
  readonly random: RandomBytes;
}

/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;

export function createSignatures({ writer, channels, signings, realNow, random }: SignaturesOptions): Signatures {
  async function findChannel(org: OrgId, generation: Generation) {
    const entry = await channels.findChannel(org, generation);
    if (!entry) throw notFound();
    return entry.channel;
  }

  /** A command that gives the signing another value; one of a channel that has ended is NOT_FOUND. */
  async function change(
    { org, generation }: SigningOf,
    next: (known: Signing | undefined) => Signing | undefined,
  ): Promise<Signing | undefined> {
    const command = generation === undefined ? ofOrg(next) : ofChannel(await findChannel(org, generation), next);
    return writer.submit(org, { ...command, weight: 1, isAdministration: true });
  }

  return {
    async show({ org, generation }) {
      if (generation === undefined) return view(await signings.signing(org), realNow());
      return view((await findChannel(org, generation)).signing, realNow());
    },
    async renew(of, keepMs) {
      const by: SecretChange = { secret: newSecret(random), keepMs, realNow: realNow() };
      const signing = await change(of, (known) => changedSecret(known, by));
      return { ...view(signing, by.realNow), secret: by.secret };
    },
    async end(of) {
      await change(of, () => undefined);
    },
  };
}

type Change = Pick<Command<Signing | undefined>, 'needs' | 'decide'>;
type Next = (known: Signing | undefined) => Signing | undefined;

const ofOrg = (next: Next): Change => ({
  needs: { orgSigning: true },
  decide(set: WorkingSet) {
    requireStays(set.org);
    const signing = next(set.orgSigning);
    if (signing || set.orgSigning) signOrg(set, signing);
    return signing;
  },
});

const ofChannel = (known: Parameters<typeof findGeneration>[1], next: Next): Change => ({
  needs: { channels: [known] },
  decide(set: WorkingSet) {
    requireStays(set.org);
    const channel = findGeneration(set, known);
    if (!channel) throw notFound();
    const signing = next(channel.signing);
    if (signing || channel.signing) signChannel(set, channel, signing);
    return signing;
  },
});

const view = (signing: Signing | undefined, now: number): SigningView => ({
  ...(signing && { since: signing.since }),
  ...(signing?.former && now < signing.former.until && { formerUntil: signing.former.until }),
});

const newSecret = (random: RandomBytes): string => `whsec_${Buffer.from(random(SECRET_BYTES)).toString('base64')}`;

const notFound = (): AppError =>
  new AppError('NOT_FOUND', 'There is no such channel, or it has ended', { api_name: 'channel' });
