import assert from 'node:assert/strict'
import { compareGuids, compareOnRing } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { AppEffects, Effects, KbrEvent, Message, Millis, NodeRef, Timer } from '@plaxton/kbr'
import type { LookupOptions, RoutingConfig } from '../src/index.ts'
import { KbrNode } from '../src/index.ts'
import type { RingOverlay } from './support.ts'
import { Probe, ref, ringFactory } from './support.ts'

/** What goes wrong in a {@link Network}. */
export interface Faults {
  /** Share of messages that vanish. */
  readonly loss: number
  /** One-way latency is drawn between these. */
  readonly latencyMs: readonly [Millis, Millis]
  /** How long it takes until everybody knows of a crash, and until a suspect that lives has answered. */
  readonly detectionMs: Millis
  /** Every message goes through the codec. */
  readonly encode: boolean
}

export interface Member {
  readonly ref: NodeRef
  readonly node: KbrNode
  readonly app: Probe
  readonly overlay: RingOverlay
  alive: boolean
  left: boolean
  /** Neither sends nor receives. */
  cutOff: boolean
}

type Input = (now: Millis) => void

/**
 * An event loop around nodes whose overlay is told the truth, if late: each knows its two neighbours on either side and the nodes at
 * power-of-two distances, and learns after `detectionMs` who has died and who has taken its place.
 */
export class Network {
  readonly members: Member[]
  readonly events: Array<{ at: NodeRef; event: KbrEvent }> = []
  /** Told of every message and whether it will arrive. */
  onSend: (from: NodeRef, to: NodeRef, message: Message, arrives: boolean) => void = () => {}
  onEmit: (at: NodeRef, event: KbrEvent) => void = () => {}
  now: Millis = 0
  private readonly prng: Prng
  private readonly faults: Faults
  private readonly queue: Array<{ at: Millis; order: number; input: Input }> = []
  private order = 0

  constructor(ids: readonly string[], faults: Faults, seed: number, config: Partial<RoutingConfig> = {}) {
    this.prng = Prng.fromSeed(seed)
    this.faults = faults
    this.members = ids.map((id) => this.member(id, config))
    for (const member of this.members) {
      member.overlay.known = this.view(member.ref, new Set())
      member.overlay.onSuspect = (peer) => this.judge(member, peer)
      member.node.start(0, this.effects(member))
      member.node.join([], 0, this.effects(member))
    }
  }

  /** Lets `input` happen at `at`. */
  schedule(at: Millis, input: Input): void {
    this.queue.push({ at, order: this.order++, input })
  }

  /** A command of the member's application, now. */
  command<T>(member: Member, run: (fx: AppEffects) => T): T {
    return member.node.command(member.app, this.now, this.effects(member), run)
  }

  /** An iterative lookup from the member, now. */
  lookup(member: Member, key: Guid, options: LookupOptions): number {
    return member.node.lookup(key, options, this.now, this.effects(member))
  }

  /** The member leaves; the others learn of it as late as of a crash. */
  leave(member: Member): void {
    member.left = true
    this.input(member, (node, fx) => node.leave(this.now, fx))
    this.tellAllDead(member.ref)
  }

  crash(member: Member): void {
    member.alive = false
    this.tellAllDead(member.ref)
  }

  /** Runs until nothing is left to happen. */
  run(): void {
    for (let steps = 0; this.queue.length > 0; steps++) {
      assert.ok(steps < 1_000_000, 'the network never comes to rest')
      let first = 0
      for (let i = 1; i < this.queue.length; i++) if (isBefore(this.queue[i]!, this.queue[first]!)) first = i
      const next = this.queue[first]!
      this.queue[first] = this.queue.at(-1)!
      this.queue.pop()
      this.now = next.at
      next.input(this.now)
    }
  }

  /** The live member that is truly closest to `key`. */
  root(key: Guid): Member {
    return this.members.filter((member) => member.alive && !member.left).sort((a, b) => compareOnRing(a.ref.id, b.ref.id, key))[0]!
  }

  private member(id: string, config: Partial<RoutingConfig>): Member {
    const self = ref(id)
    const overlays = ringFactory([])
    const app = new Probe()
    const node = new KbrNode({ self, overlay: overlays, applications: [app], prng: this.prng.fork(), config })
    return { ref: self, node, app, overlay: overlays.made[0]!, alive: true, left: false, cutOff: false }
  }

  private judge(member: Member, peer: NodeRef): void {
    this.schedule(this.now + this.faults.detectionMs, (now) => {
      if (!member.alive) return
      const live = this.members.some((other) => other.alive && !other.left && other.ref.id === peer.id)
      if (live && this.members.some((other) => other.cutOff)) this.judge(member, peer)
      else if (live) {
        this.input(member, (node, fx) => node.onMessage(peer, { type: 'ring-alive', peer } as Message, now, fx))
      } else this.tellDead(member, peer)
    })
  }

  private tellAllDead(peer: NodeRef): void {
    this.schedule(this.now + this.faults.detectionMs, () => {
      for (const other of this.members) if (other.alive && other.ref.id !== peer.id) this.tellDead(other, peer)
    })
  }

  private tellDead(member: Member, peer: NodeRef): void {
    const { dead } = member.overlay
    dead.add(peer.id)
    member.overlay.known = this.view(member.ref, dead)
    this.input(member, (node, fx) => node.onMessage(ref('ff'), { type: 'ring-dead', peer } as Message, this.now, fx))
  }

  private view(self: NodeRef, dead: ReadonlySet<string>): NodeRef[] {
    const ring = this.members.map((member) => member.ref).filter((other) => !dead.has(other.id))
    ring.sort((a, b) => compareGuids(a.id, b.id))
    const here = ring.findIndex((other) => other.id === self.id)
    const steps = [-2, -1, 1, 2, 4, 8, 16, 32].filter((step) => Math.abs(step) < ring.length)
    const known = steps.map((step) => ring[(here + step + ring.length) % ring.length]!)
    return [...new Set(known)].filter((other) => other.id !== self.id)
  }

  private input(member: Member, run: (node: KbrNode, fx: Effects) => void): void {
    if (!member.alive) return
    run(member.node, this.effects(member))
    member.node.assertInvariants()
  }

  private effects(from: Member): Effects {
    return {
      send: (to: NodeRef, message: Message) => {
        const target = this.members.find((member) => member.ref.id === to.id)
        const arrives = !this.prng.chance(this.faults.loss) && target !== undefined && target.alive && !target.cutOff && !from.cutOff
        this.onSend(from.ref, to, message, arrives)
        if (!arrives) return
        const [least, most] = this.faults.latencyMs
        const bytes = this.faults.encode ? from.node.codec.encode(message).slice() : undefined
        this.schedule(this.now + least + this.prng.nextInt(most - least + 1), (now) => {
          const arrived = bytes === undefined ? message : target.node.codec.decode(bytes, (id) => ref(id))
          this.input(target, (node, fx) => node.onMessage(from.ref, arrived, now, fx))
        })
      },
      startTimer: (timer: Timer, delayMs: Millis) => {
        assert.ok(Number.isSafeInteger(delayMs) && delayMs >= 0, `a delay of ${delayMs}`)
        this.schedule(this.now + delayMs, (now) => this.input(from, (node, fx) => node.onTimer(timer, now, fx)))
      },
      emit: (event: KbrEvent) => {
        this.events.push({ at: from.ref, event })
        this.onEmit(from.ref, event)
      },
      ask: () => assert.fail('nobody asks here'),
    }
  }
}

function isBefore(a: { at: Millis; order: number }, b: { at: Millis; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
