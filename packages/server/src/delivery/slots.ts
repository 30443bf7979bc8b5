import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';

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
  flying: number;
  hasReady(): boolean;
  /** Starts one flight; called only while `hasReady`. */
  launch(flight: Flight): void;
}

/** What one flight holds, as it was when it began. */
export interface Flight {
  readonly standing: Standing;
  readonly origin: string;
}

/** Deals out the requests that may be in the air at once (DESIGN §6). */
export interface Slots {
  /** Lets a seat that has something ready wait for its turn; it may be launched before this answers. */
  request(seat: Seat): void;
  withdraw(seat: Seat): void;
  /** Gives a flight back. `succeeded` undefined: no request was made. */
  release(seat: Seat, flight: Flight, succeeded: boolean | undefined): void;
  /** Deals again after `isBlocked` changed. */
  deal(): void;
  inFlight(): number;
  isFlying(org: OrgId): boolean;
  /** Calls once, after the next flight was given back. */
  onRelease(call: () => void): void;
}

/** Waiting seats of one standing: dealt to round-robin by org, then origin, then lane. A Map keeps the turn's order. */
type Waiting = Map<OrgId, Map<string, Set<Seat>>>;

export function createSlots(policy: DeliveryPolicy, isBlocked: () => boolean): Slots {
  const waiting: Record<Standing, Waiting> = { proven: new Map(), unproven: new Map(), failing: new Map() };
  const limits = partition(policy);
  const held = { all: 0, proven: 0, unproven: 0, failing: 0 };
  const heldByOrg = new Map<string, number>();
  const heldByOrigin = new Map<string, number>();
  const releaseCalls: (() => void)[] = [];
  let isDealing = false;

  function enqueue(seat: Seat): void {
    const byOrigin = entry(waiting[seat.standing], seat.org, () => new Map<string, Set<Seat>>());
    entry(byOrigin, seat.origin, () => new Set<Seat>()).add(seat);
  }

  function withdraw(seat: Seat): void {
    for (const standing of STANDINGS) {
      const byOrigin = waiting[standing].get(seat.org);
      const seats = byOrigin?.get(seat.origin);
      if (!byOrigin || !seats?.delete(seat)) continue;
      if (seats.size === 0) byOrigin.delete(seat.origin);
      if (byOrigin.size === 0) waiting[standing].delete(seat.org);
    }
  }

  /** The seat whose turn it is among those that may fly. */
  function next(standing: Standing): Seat | undefined {
    const limit = limits[standing];
    if (held[standing] >= limit.all) return undefined;
    for (const [org, byOrigin] of waiting[standing]) {
      if ((heldByOrg.get(`${standing}/${org}`) ?? 0) >= limit.org) continue;
      for (const [origin, seats] of byOrigin) {
        if ((heldByOrigin.get(`${org}/${origin}`) ?? 0) >= policy.originFlights) continue;
        for (const seat of seats) return seat;
      }
    }
    return undefined;
  }

  /** Puts the seat's org, origin and itself behind the others. */
  function endTurn(seat: Seat, standing: Standing): void {
    const byOrigin = waiting[standing].get(seat.org);
    const seats = byOrigin?.get(seat.origin);
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
    if (isDealing) return;
    isDealing = true;
    for (const standing of STANDINGS) {
      for (let seat = next(standing); seat && !isBlocked(); seat = next(standing)) {
        const flight: Flight = { standing, origin: seat.origin };
        count(seat, flight, 1);
        seat.launch(flight);
        endTurn(seat, standing);
      }
    }
    isDealing = false;
  }

  function count(seat: Seat, { standing, origin }: Flight, by: 1 | -1): void {
    seat.flying += by;
    held.all += by;
    held[standing] += by;
    add(heldByOrg, `${standing}/${seat.org}`, by);
    add(heldByOrigin, `${seat.org}/${origin}`, by);
  }

  return {
    request(seat) {
      if (!mayFly(seat)) return;
      enqueue(seat);
      deal();
    },
    withdraw,
    release(seat, flight, succeeded) {
      count(seat, flight, -1);
      if (succeeded !== undefined) {
        withdraw(seat);
        seat.standing = succeeded ? 'proven' : 'failing';
        seat.level = succeeded ? Math.min(seat.level * 2, policy.channelFlights) : 1;
      }
      if (mayFly(seat)) enqueue(seat);
      deal();
      for (const call of releaseCalls.splice(0)) call();
    },
    deal,
    inFlight: () => held.all,
    isFlying: (org) => STANDINGS.some((standing) => heldByOrg.has(`${standing}/${org}`)),
    onRelease(call) {
      releaseCalls.push(call);
    },
  };
}

const mayFly = (seat: Seat): boolean => seat.flying < seat.level && seat.hasReady();

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

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
