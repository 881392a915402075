import { sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { refsMax, send } from './messages.ts'
import type { GroupReply, GroupRequest } from './messages.ts'
import type { TapestryState } from './state.ts'

/**
 * A sibling group has become too small: the node collects the next larger one. It asks one node of each part of it for that node's siblings. Who has a
 * smaller group itself names one node of each other part, which is asked in turn. Everybody named is greeted; the group is complete when no part
 * is missing and all have answered or are dead.
 */
export class Gathering {
  private readonly state: TapestryState
  private readonly probing: Probing
  private readonly prefix: number
  /** Parts of the group, by the node asked. Bound: `refsMax`. Full: the exchange of siblings finds the rest. */
  private readonly parts = new Map<Guid, Part>()
  /** Greeted and neither met nor dead. */
  private readonly greeted = new Set<Guid>()

  constructor(state: TapestryState, probing: Probing, prefix: number) {
    this.state = state
    this.probing = probing
    this.prefix = prefix
  }

  start(now: Millis, fx: OverlayEffects): void {
    const { state, prefix } = this
    state.collect(prefix)
    this.greet(state.map.entries(), now, fx)
    this.branchOut(state.map.primaries(prefix), state.self.id, fx)
    fx.startTimer('gather', 0, state.config.multicastMs)
  }

  onReply(from: NodeRef, reply: GroupReply, now: Millis, fx: OverlayEffects): void {
    const part = this.parts.get(from.id)
    if (part === undefined) return
    part.open = false
    part.digits = Math.max(part.digits, reply.prefix)
    this.greet(reply.refs, now, fx)
    this.greet(reply.branches, now, fx)
    this.branchOut(this.state.credible(reply.branches, now), from.id, fx)
  }

  onTimer(now: Millis, fx: OverlayEffects): void {
    const { config } = this.state
    for (const part of this.parts.values()) {
      if (!part.open) continue
      if (part.tries <= config.multicastRetries && !this.state.failed.has(part.ref.id)) {
        this.ask(part, fx)
        continue
      }
      part.open = false
      if (this.state.find(part.ref.id) !== undefined) this.probing.start(part.ref, false, now, fx)
    }
    fx.startTimer('gather', 0, config.multicastMs)
  }

  /** Whether everybody is known. */
  get complete(): boolean {
    for (const part of this.parts.values()) if (part.open) return false
    for (const id of this.greeted) {
      if (this.probing.has(id)) return false
      this.greeted.delete(id)
    }
    return true
  }

  private greet(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    for (const ref of this.state.credible(refs, now)) {
      if (!this.state.needs(ref.id)) continue
      this.probing.start(ref, false, now, fx)
      this.greeted.add(ref.id)
    }
  }

  /** `source` has these nodes in its map, one for each part of the group that is not its own. */
  private branchOut(branches: readonly NodeRef[], source: Guid, fx: OverlayEffects): void {
    for (const ref of branches) {
      const digits = this.shared(source, ref.id) + 1
      if (this.state.siblings.shared(ref.id) < this.prefix || this.isCovered(ref.id, digits)) continue
      if (this.parts.size >= refsMax) return
      const part = { ref, digits, open: true, tries: 0 }
      this.parts.set(ref.id, part)
      this.ask(part, fx)
    }
  }

  private isCovered(id: Guid, digits: number): boolean {
    if (this.state.siblings.shared(id) >= this.state.siblings.level) return true
    for (const part of this.parts.values()) {
      if (part.ref.id === id || (part.digits <= digits && this.shared(part.ref.id, id) >= part.digits)) return true
    }
    return false
  }

  private shared(a: Guid, b: Guid): number {
    return sharedPrefixDigits(a, b, this.state.config.digitBits)
  }

  private ask(part: Part, fx: OverlayEffects): void {
    part.tries++
    send(part.ref, { type: 'group-request', prefix: this.prefix, ...this.state.statusFor(part.ref) }, fx)
  }
}

/** What this node knows of the group of those that share `prefix` digits with it and the asker. */
export function onGroupRequest(state: TapestryState, from: NodeRef, request: GroupRequest, fx: OverlayEffects): void {
  const { siblings, map } = state
  const prefix = Math.max(request.prefix, siblings.level)
  const refs = siblings.within(state.self.id, prefix).filter((ref) => ref.id !== from.id)
  const branches: NodeRef[] = []
  for (let level = request.prefix; level < prefix; level++) branches.push(...map.primaries(level))
  const reply: GroupReply = {
    type: 'group-reply',
    prefix,
    refs: refs.slice(0, refsMax),
    branches: branches.slice(0, refsMax),
    ...state.statusFor(from),
  }
  send(from, reply, fx)
}

interface Part {
  readonly ref: NodeRef
  /** It stands for all that share so many digits with it. */
  digits: number
  open: boolean
  tries: number
}
