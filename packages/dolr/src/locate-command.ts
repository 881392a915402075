import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, NotFoundError } from '@plaxton/kbr'
import type { CommandInit } from './command.ts'
import type { Candidate } from './messages.ts'
import { namesOf, pingWaitMs } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { SearchCommand } from './search.ts'

/** What a {@link LocateCommand} looks for. */
export interface LocateWish {
  readonly wanted: number
  /** Name only hosts that have just said that they host the object. */
  readonly checked: boolean
  /** This node hosts the object itself and is nearest. */
  readonly isHere: boolean
}

/**
 * Finds hosts of an object and sends them nothing. They may have gone by the time somebody does; if that matters they are asked first, all at once, and
 * the search goes on without those that do not answer, so that the pointers to them go.
 */
export class LocateCommand extends SearchCommand {
  protected readonly verb = 'locate'
  private readonly wish: LocateWish
  /** Those that are to be named. */
  private readonly found = new Map<Guid, Candidate>()

  constructor(parts: DolrParts, init: CommandInit, wish: LocateWish) {
    super(parts, init)
    this.wish = wish
  }

  protected get isServed(): boolean {
    return this.wish.isHere || this.found.size > 0
  }

  protected run(now: Millis, fx: AppEffects): void {
    if (this.wish.isHere) this.ruleOut(fx.self.id)
    if (this.missing === 0) this.nameAll(fx)
    else this.search(this.missing, now, fx)
  }

  protected onFound(hosts: readonly Candidate[], all: boolean, now: Millis, fx: AppEffects): void {
    if (this.wish.checked) return this.check(hosts, all, now, fx)
    for (const host of hosts) this.found.set(host.node.id, host)
    for (const { node } of hosts) this.ruleOut(node.id)
    this.goOn(all, now, fx)
  }

  protected onNotFound(error: NotFoundError, _now: Millis, fx: AppEffects): void {
    if (this.isServed) this.nameAll(fx)
    else this.fail(error, fx)
  }

  protected override onDeadline(now: Millis, fx: AppEffects): void {
    if (this.isServed) this.nameAll(fx)
    else super.onDeadline(now, fx)
  }

  private get missing(): number {
    return this.wish.wanted - this.found.size - (this.wish.isHere ? 1 : 0)
  }

  /** Asks all of them whether they host the object. */
  private check(hosts: readonly Candidate[], all: boolean, now: Millis, fx: AppEffects): void {
    const { errands, config } = this.parts
    this.progress('measuring', `asking ${namesOf(hosts.map(({ node }) => node))} whether they host it`, fx)
    let open = hosts.length
    for (const host of hosts) {
      this.ruleOut(host.node.id)
      const withinMs = Math.min(pingWaitMs(host.node, config, fx), this.leftMs(now))
      errands.request(host.node, { type: 'ping', guid: this.guid, id: 0 }, withinMs, fx, (answered, time, effects) => {
        if (this.ended) return
        const hostsIt = answered.ok && answered.message.type === 'pong' && answered.message.hosts
        if (hostsIt) this.found.set(host.node.id, host)
        if (--open === 0) this.goOn(all && hosts.every(({ node }) => this.found.has(node.id)), time, effects)
      })
    }
  }

  /** `all`: there are no others. */
  private goOn(all: boolean, now: Millis, fx: AppEffects): void {
    if (all || this.missing <= 0) this.nameAll(fx)
    else this.search(this.missing, now, fx)
  }

  private nameAll(fx: AppEffects): void {
    const others = byOwnDistance([...this.found.values()], fx).map(({ node }) => node)
    const all: NodeRef[] = this.wish.isHere ? [fx.self, ...others] : others
    this.succeed(all.slice(0, this.wish.wanted), fx)
  }
}

/** Nearest first by this node's own measurements; those it has not measured follow, nearest to whoever found them first. */
export function byOwnDistance(hosts: readonly Candidate[], fx: AppEffects): Candidate[] {
  const distances = new Map(hosts.map(({ node }) => [node.id, node.id === fx.self.id ? 0 : (fx.roundTripMs(node) ?? Infinity)]))
  const distance = ({ node }: Candidate): number => distances.get(node.id)!
  return [...hosts].sort((a, b) => (distance(a) === distance(b) ? a.distanceMs - b.distanceMs : distance(a) - distance(b)))
}
