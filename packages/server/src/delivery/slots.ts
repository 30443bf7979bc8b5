import type { Outcome } from '../domain/attempt.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Circuits } from './circuits.ts';

/** By a lane's last outcome. Each standing has its own part of the node, so that none waits for another's receivers. */
export type Standing = 'proven' | 'unproven' | 'failing';
const STANDINGS: readonly Standing[] = ['proven', 'unproven', 'failing'];

/** A lane as the slots see it. */
export interface Seat {
  readonly org: OrgId;
  /** Of its receiver; changes only while the seat does not wait. */
  origin: string;
  standing: Standing;
  /** Flights it has earned: doubled by a success up to the channel's maximum, one after a failure. */
  level: number;
  /** Its channel: what jobs send for it has seats of its own. */
  readonly generation: Generation;
  /** Most flights of the channel, over all of its seats. */
  most(): number;
  flying: number;
  hasReady(): boolean;
  /** Starts one flight; called only while `hasReady`. */
  launch(flight: Flight): void;
}

/** What one flight holds, as it was when it began. */
export interface Flight {
  readonly standing: Standing;
  readonly origin: string;
  /** The one attempt by which a circuit finds out whether its origin is reached again. */
  readonly isProbe: boolean;
}

/** Deals out the requests that may be in the air at once (DESIGN §6). */
export interface Slots {
  /** Lets a seat that has something ready wait for its turn; it may be launched before this answers. */
  request(seat: Seat): void;
  withdraw(seat: Seat): void;
  /** Gives a flight back. `outcome` undefined: no request was made. */
  release(seat: Seat, flight: Flight, outcome: Outcome | undefined): void;
  /** Takes those up again whose origin was not admitted. To probe, they wait with those that fail. */
  readmit(org: OrgId, origin: string, isProbing: boolean): void;
  /** Deals again after `isBlocked` changed. */
  deal(): void;
  inFlight(): number;
  isFlying(org: OrgId): boolean;
  /** Calls once, after the next flight was given back. */
  onRelease(call: () => void): void;
}

/** Waiting seats of one standing: dealt to round-robin by org, then origin, then lane. A Map keeps the turn's order. */
type Waiting = Map<OrgId, Map<string, Set<Seat>>>;

export function createSlots(
  policy: DeliveryPolicy,
  isBlocked: () => boolean,
  circuits: Pick<Circuits, 'admits' | 'start' | 'land'>,
): Slots {
  const waiting: Record<Standing, Waiting> = { proven: new Map(), unproven: new Map(), failing: new Map() };
  /** Those whose origin's circuit admits none, by org and origin: passed over without being looked at. */
  const grounded = new Map<string, Record<Standing, Set<Seat>>>();
  const limits = partition(policy);
  const held = { all: 0, proven: 0, unproven: 0, failing: 0 };
  const heldByOrg: Record<Standing, Map<OrgId, number>> = {
    proven: new Map(),
    unproven: new Map(),
    failing: new Map(),
  };
  const heldByOrigin = new Map<string, number>();
  const heldByChannel = new Map<string, number>();
  /** Seats that asked for a turn and were not withdrawn since. */
  const seatsOf = new Map<Generation, Set<Seat>>();
  const releaseCalls: (() => void)[] = [];
  let isDealing = false;

  function mayFly(seat: Seat): boolean {
    return seat.flying < seat.level && (heldByChannel.get(seat.generation) ?? 0) < seat.most() && seat.hasReady();
  }

  function enqueue(seat: Seat): void {
    const apart = grounded.get(keyOf(seat.org, seat.origin));
    if (apart) {
      apart[seat.standing].add(seat);
      return;
    }
    const byOrigin = entry(waiting[seat.standing], seat.org, () => new Map<string, Set<Seat>>());
    entry(byOrigin, seat.origin, () => new Set<Seat>()).add(seat);
  }

  function withdraw(seat: Seat): void {
    const apart = grounded.get(keyOf(seat.org, seat.origin));
    for (const standing of STANDINGS) {
      apart?.[standing].delete(seat);
      const byOrigin = waiting[standing].get(seat.org);
      const seats = byOrigin?.get(seat.origin);
      if (!byOrigin || !seats?.delete(seat)) continue;
      if (seats.size === 0) byOrigin.delete(seat.origin);
      if (byOrigin.size === 0) waiting[standing].delete(seat.org);
    }
  }

  const hasPart = (standing: Standing): boolean => held[standing] < limits[standing].all;
  const hasShare = (standing: Standing, org: OrgId): boolean =>
    (heldByOrg[standing].get(org) ?? 0) < limits[standing].org;
  const hasPlace = (org: OrgId, origin: string): boolean =>
    (heldByOrigin.get(keyOf(org, origin)) ?? 0) < policy.originFlights;

  /** The seat whose turn it is among those that may fly. */
  function next(standing: Standing): Seat | undefined {
    if (!hasPart(standing)) return undefined;
    for (const [org, byOrigin] of waiting[standing]) {
      if (!hasShare(standing, org)) continue;
      for (const [origin, seats] of byOrigin) {
        if (!hasPlace(org, origin)) continue;
        if (!circuits.admits(org, origin)) ground(org, origin);
        else for (const seat of seats) return seat;
      }
    }
    return undefined;
  }

  /** All seats of an origin at once, and those that come later by `enqueue`. */
  function ground(org: OrgId, origin: string): void {
    const take = (standing: Standing): Set<Seat> => {
      const byOrigin = waiting[standing].get(org);
      const seats = byOrigin?.get(origin);
      byOrigin?.delete(origin);
      if (byOrigin?.size === 0) waiting[standing].delete(org);
      return seats ?? new Set();
    };
    grounded.set(keyOf(org, origin), {
      proven: take('proven'),
      unproven: take('unproven'),
      failing: take('failing'),
    });
  }

  function readmit(org: OrgId, origin: string, isProbing: boolean): void {
    const apart = grounded.get(keyOf(org, origin));
    if (!apart) return;
    grounded.delete(keyOf(org, origin));
    const put = (standing: Standing, seats: Set<Seat>) => {
      if (seats.size > 0) entry(waiting[standing], org, () => new Map<string, Set<Seat>>()).set(origin, seats);
    };
    if (isProbing) put('failing', new Set([...apart.failing, ...apart.unproven, ...apart.proven]));
    else for (const standing of STANDINGS) put(standing, apart[standing]);
    deal();
  }

  /** Puts the seat's org, origin and itself behind the others. */
  function endTurn(seat: Seat, standing: Standing): void {
    const byOrigin = waiting[standing].get(seat.org);
    const seats = byOrigin?.get(seat.origin);
    const isAlone = waiting[standing].size === 1 && byOrigin?.size === 1 && seats?.size === 1;
    if (isAlone && standing === seat.standing && mayFly(seat)) return;
    withdraw(seat);
    if (byOrigin && byOrigin.size > 0) {
      waiting[standing].delete(seat.org);
      waiting[standing].set(seat.org, byOrigin);
      if (seats && seats.size > 0) {
        byOrigin.delete(seat.origin);
        byOrigin.set(seat.origin, seats);
      }
    }
    if (mayFly(seat)) enqueue(seat);
  }

  function deal(): void {
    if (isDealing || isNobodyWaiting()) return;
    isDealing = true;
    for (const standing of STANDINGS) {
      for (let seat = next(standing); seat && !isBlocked(); seat = next(standing)) {
        begin(seat, standing);
        endTurn(seat, standing);
        lookAtMates(seat);
      }
    }
    isDealing = false;
  }

  function begin(seat: Seat, standing: Standing): void {
    const { org, origin } = seat;
    const isProbe = circuits.start(org, origin);
    const flight: Flight = { standing: isProbe ? 'failing' : standing, origin, isProbe };
    count(seat, flight, 1);
    seat.launch(flight);
  }

  /** Deals to a seat that may fly. While nobody else waits it needs no place among those who do. */
  function dealTo(seat: Seat): void {
    while (!isDealing && isNobodyWaiting() && mayBeDealtTo(seat) && !isBlocked()) {
      isDealing = true;
      begin(seat, seat.standing);
      isDealing = false;
      lookAtMates(seat);
      if (!mayFly(seat)) return;
    }
    enqueue(seat);
    deal();
  }

  const mayBeDealtTo = ({ org, origin, standing }: Seat): boolean =>
    hasPart(standing) && hasShare(standing, org) && hasPlace(org, origin) && circuits.admits(org, origin);

  const isNobodyWaiting = (): boolean =>
    waiting.proven.size === 0 && waiting.unproven.size === 0 && waiting.failing.size === 0;

  /** What its channel may still have in the air has changed. */
  function lookAtMates(seat: Seat): void {
    const mates = seatsOf.get(seat.generation);
    if (!mates || mates.size < 2) return;
    for (const mate of mates) {
      if (mate === seat) continue;
      if (mayFly(mate)) enqueue(mate);
      else withdraw(mate);
    }
  }

  function count(seat: Seat, { standing, origin }: Flight, by: 1 | -1): void {
    seat.flying += by;
    held.all += by;
    held[standing] += by;
    add(heldByOrg[standing], seat.org, by);
    add(heldByOrigin, keyOf(seat.org, origin), by);
    add(heldByChannel, seat.generation, by);
  }

  return {
    request(seat) {
      entry(seatsOf, seat.generation, () => new Set<Seat>()).add(seat);
      if (mayFly(seat)) dealTo(seat);
    },
    withdraw(seat) {
      withdraw(seat);
      const mates = seatsOf.get(seat.generation);
      mates?.delete(seat);
      if (mates?.size === 0) seatsOf.delete(seat.generation);
    },
    release(seat, flight, outcome) {
      count(seat, flight, -1);
      circuits.land(seat.org, flight.origin, flight.isProbe, outcome);
      if (outcome) {
        const succeeded = outcome.kind === 'delivered';
        const standing = succeeded ? 'proven' : 'failing';
        if (standing !== seat.standing) withdraw(seat);
        seat.standing = standing;
        seat.level = succeeded ? Math.min(seat.level * 2, policy.channelFlights) : 1;
      }
      if (mayFly(seat)) dealTo(seat);
      else withdraw(seat);
      lookAtMates(seat);
      deal();
      if (releaseCalls.length > 0) for (const call of releaseCalls.splice(0)) call();
    },
    readmit,
    deal,
    inFlight: () => held.all,
    isFlying: (org) => STANDINGS.some((standing) => heldByOrg[standing].has(org)),
    onRelease(call) {
      releaseCalls.push(call);
    },
  };
}

/** The last one is kept: flights to one origin follow each other. */
let lastKey = { org: '' as OrgId, origin: '', key: '' };

function keyOf(org: OrgId, origin: string): string {
  if (lastKey.org !== org || lastKey.origin !== origin) lastKey = { org, origin, key: `${org}/${origin}` };
  return lastKey.key;
}

/** The node's flights, parted by standing, and how much of each part one organisation may hold. At least one each. */
function partition({
  nodeFlights,
  unprovenShare,
  orgShare,
}: DeliveryPolicy): Record<Standing, { all: number; org: number }> {
  const part = (all: number) => ({ all, org: Math.max(1, Math.floor(all * orgShare)) });
  const unproven = Math.max(1, Math.floor(nodeFlights * unprovenShare));
  return { proven: part(Math.max(1, nodeFlights - 2 * unproven)), unproven: part(unproven), failing: part(unproven) };
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
