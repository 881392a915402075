import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import type { Contact } from './state.ts'
import type { Zone } from './zone.ts'

/**
 * Zones that this node has taken over and does not answer for yet, because another neighbour of the dead node may have done the same at the same time. Once all of those have confirmed a
 * report with the claim, and claim nothing of it themselves, nobody else can: from then on they know who owns it.
 */
export class Contests {
  /** Bound: the zones of one node. */
  private readonly open = new Map<Zone, Contest>()

  begin(zone: Zone, rivals: Iterable<Guid>, now: Millis): void {
    this.open.set(zone, { since: now, rivals: new Set(rivals) })
  }

  /** It claims `zone`, or the zone of which that was a part, as well. */
  join(zone: Zone, rival: Guid): void {
    for (const [contested, { rivals }] of this.open) if (zone.startsWith(contested)) rivals.add(rival)
  }

  /** A contact has confirmed what it was told. */
  confirmed({ ref, told, toldAt, confirmed }: Contact): void {
    if (told === confirmed) for (const { since, rivals } of this.open.values()) if (toldAt >= since) rivals.delete(ref.id)
  }

  /** It is gone, and no rival of anybody. */
  forget(id: Guid): void {
    for (const { rivals } of this.open.values()) rivals.delete(id)
  }

  /** Zones that nobody else can have taken. */
  takeDecided(): Zone[] {
    const decided = [...this.open].filter(([, { rivals }]) => rivals.size === 0).map(([zone]) => zone)
    for (const zone of decided) this.open.delete(zone)
    return decided
  }

  clear(): void {
    this.open.clear()
  }
}

interface Contest {
  readonly since: Millis
  /** Those that have not confirmed. */
  readonly rivals: Set<Guid>
}
