import type { NotFoundError } from '@plaxton/kbr'
import type { AppEffects, Millis } from '@plaxton/kbr'
import type { CommandInit } from './command.ts'
import type { Candidate } from './messages.ts'
import type { DolrParts } from './parts.ts'
import { SearchCommand } from './search.ts'

/** Finds hosts of an object and sends them nothing. They may have gone by the time somebody does. */
export class LocateCommand extends SearchCommand {
  protected readonly verb = 'locate'
  private readonly wanted: number
  private readonly isHere: boolean

  /** `isHere`: this node hosts the object itself and is nearest. */
  constructor(parts: DolrParts, init: CommandInit, wanted: number, isHere: boolean) {
    super(parts, init)
    this.wanted = wanted
    this.isHere = isHere
  }

  protected get isServed(): boolean {
    return this.isHere
  }

  protected run(now: Millis, fx: AppEffects): void {
    if (this.isHere) this.ruleOut(fx.self.id)
    if (this.isHere && this.wanted === 1) this.succeed([fx.self], fx)
    else this.search(this.isHere ? this.wanted - 1 : this.wanted, now, fx)
  }

  protected onFound(hosts: readonly Candidate[], _all: boolean, _now: Millis, fx: AppEffects): void {
    const others = byOwnDistance(hosts, fx).map(({ node }) => node)
    this.succeed(this.isHere ? [fx.self, ...others] : others.slice(0, this.wanted), fx)
  }

  protected onNotFound(error: NotFoundError, _now: Millis, fx: AppEffects): void {
    if (this.isHere) this.succeed([fx.self], fx)
    else this.fail(error, fx)
  }
}

/** Nearest first by this node's own measurements; those it has not measured follow, nearest to whoever found them first. */
export function byOwnDistance(hosts: readonly Candidate[], fx: AppEffects): Candidate[] {
  const distances = new Map(hosts.map(({ node }) => [node.id, node.id === fx.self.id ? 0 : (fx.roundTripMs(node) ?? Infinity)]))
  const distance = ({ node }: Candidate): number => distances.get(node.id)!
  return [...hosts].sort((a, b) => (distance(a) === distance(b) ? a.distanceMs - b.distanceMs : distance(a) - distance(b)))
}
