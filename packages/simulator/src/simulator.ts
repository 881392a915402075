import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng, assert } from '@plaxton/kbr'
import type {
  Answer,
  Core,
  Effects,
  KbrEvent,
  Message,
  MessageCodec,
  Millis,
  NodeRef,
  PeerDownCause,
  Question,
  RefReader,
  Timer,
} from '@plaxton/kbr'
import { AccessLinks, packetHeader } from './access-links.ts'
import type { AccessLinkConfig } from './access-links.ts'
import { Clocks } from './clocks.ts'
import { Disk } from './disk.ts'
import type { DiskObserver } from './disk.ts'
import { EventQueue, entryKinds } from './event-queue.ts'
import { giveTraits } from './host-traits.ts'
import type { HostTraits } from './host-traits.ts'
import { Host, Process, SimRef } from './host.ts'
import { Keys } from './keys.ts'
import { MessageCounts } from './message-counts.ts'
import { Network, cut, lost } from './network.ts'
import type { NetworkConfig } from './network.ts'
import { plane } from './topology.ts'
import type { Topology, TopologyFactory } from './topology.ts'
import { Trace } from './trace.ts'

export interface SimulatorOptions {
  /** Decides everything: the same seed gives the same history. */
  readonly seed: number | string
  /** Default {@link plane}. */
  readonly topology?: TopologyFactory
  readonly network?: Partial<NetworkConfig>
  /** Default: a message takes no time to leave and to come in, whatever its length. Messages are to travel as bytes, since only these have a length. */
  readonly accessLinks?: AccessLinkConfig
  /** Default: all hosts are alike, and their clocks are right. */
  readonly traits?: HostTraits
  /** Whether processes are to keep whom they have met, {@link Process.met}. Default false. */
  readonly keepMet?: boolean
  /** Messages, timers and answers that may be due at one time; with more, a run ends with a {@link SimulationError}. Default: as many as fit into memory. */
  readonly pendingMax?: number
  /** Told about every entry that becomes durable or is erased, on any host. */
  readonly onDisk?: (host: Host, key: string, bytes: Uint8Array | undefined) => void
}

/** Hears what the cores emit, after the step in which they did. May give commands. */
export type EventListener = (process: Process, event: KbrEvent, now: Millis) => void

/** Hears of every message that chance loses on its way between two hosts. */
export type LossListener = (from: Host, to: Host, now: Millis) => void

/** Time a disk takes. Our guess: a flash disk with a flush per write. */
const diskReadMs = 1
const diskWriteMs = 2

/**
 * The driver of a whole network in virtual time: one queue, one sink. It knows cores, not protocols.
 *
 * Everything that happens is an entry of the queue; between two entries nothing happens, so virtual hours pass in seconds. A step is guarded
 * against re-entry: a sink that called back into a core would be found at once.
 */
export class Simulator implements Effects {
  /** Virtual milliseconds since the start. */
  now: Millis = 0
  readonly seed: number | string
  readonly hosts: Host[] = []
  readonly processes: Process[] = []
  readonly topology: Topology
  readonly network: Network
  readonly trace = new Trace()
  readonly keys: Keys
  readonly counts = new MessageCounts()
  readonly clocks = new Clocks()
  /** Called after every step of a core. */
  afterStep: ((process: Process) => void) | undefined = undefined

  private readonly queue: EventQueue
  private readonly accessLinks: AccessLinks | undefined
  private readonly crashPrng: Prng
  private readonly traitsPrng: Prng
  private readonly options: SimulatorOptions
  private readonly listeners: EventListener[] = []
  private readonly lossListeners: LossListener[] = []
  private readonly diskFreeAt: number[] = []
  private readonly byAddress = new Map<string, Host>()
  /** The process whose core handles an input right now. */
  private current: Process | undefined = undefined
  /** Emitted during the current step. */
  private emitted: KbrEvent[] = []
  private stopped = false

  constructor(options: SimulatorOptions) {
    this.options = options
    this.queue = new EventQueue(undefined, options.pendingMax)
    this.accessLinks = options.accessLinks && new AccessLinks(options.accessLinks)
    this.seed = options.seed
    this.topology = (options.topology ?? plane())(this.stream('topology'))
    this.network = new Network(this.topology, options.network ?? {}, this.stream('loss'), this.stream('jitter'))
    this.keys = new Keys(options.seed)
    this.crashPrng = this.stream('crash')
    this.traitsPrng = this.stream('traits')
  }

  /** A generator for one concern, independent of all others. */
  stream(concern: string): Prng {
    return Prng.fromSeed(`${this.seed}/${concern}`)
  }

  // ——— Hosts and processes

  addHost(id: Guid): Host {
    const onDisk = this.options.onDisk
    const observer: DiskObserver | undefined = onDisk && ((key, bytes) => onDisk(host, key, bytes))
    const host: Host = new Host(this.hosts.length, id, new Disk(observer))
    this.hosts.push(host)
    this.byAddress.set(host.address, host)
    this.diskFreeAt.push(0)
    this.topology.place()
    const { network, clocks, now } = this
    if (this.options.traits !== undefined) giveTraits(this.options.traits, host.index, { prng: this.traitsPrng, network, clocks, now })
    return host
  }

  /** Starts a new incarnation on a host where nothing runs. With `codec`, what it sends and receives travels as bytes. */
  start<C extends Core>(host: Host, create: (self: NodeRef) => C, codecOf?: (core: C) => MessageCodec): Process {
    assert(host.process === undefined, `host ${host.index} runs something already`)
    const self = host.nextRef()
    const core = create(self)
    const process = new Process(this.processes.length, host, self, core, codecOf?.(core))
    this.processes.push(process)
    host.process = process
    return process
  }

  /**
   * Ends a process without a word. A prefix of what it was writing is on the disk; with `wipe`, the disk is lost too. Where the network gives
   * notice, those connected to it see their connections close.
   */
  kill(process: Process, options: { readonly wipe?: boolean } = {}): void {
    assert(process.alive, `process ${process.index} has ended already`)
    process.host.process = undefined
    process.host.disk.crash(this.crashPrng)
    if (options.wipe === true) process.host.disk.wipe()
    this.closeLinks(process)
    process.end()
  }

  /** A command: runs one step on behalf of whoever uses the node. */
  step<T>(process: Process, run: (now: Millis, fx: Effects) => T): T {
    assert(process.alive, `process ${process.index} has ended`)
    this.enter(process)
    let result: T
    try {
      result = run(this.clockOf(process), this)
    } finally {
      // A command that is refused throws to whoever gave it, and the network goes on.
      this.current = undefined
    }
    this.leaveStep(process)
    return result
  }

  onEvent(listener: EventListener): void {
    this.listeners.push(listener)
  }

  onLoss(listener: LossListener): void {
    this.lossListeners.push(listener)
  }

  // ——— Time

  /** Runs `action` at this time, to the millisecond, between two inputs. */
  at(time: Millis, action: () => void): void {
    assert(time >= this.now, `${time} ms is past`)
    this.queue.push(Math.round(time), entryKinds.control, 0, 0, action)
  }

  /** Runs everything due within the next `ms`. */
  run(ms: Millis): void {
    this.runUntil(this.now + ms)
  }

  /** Runs everything due up to `time`, to the millisecond, or until {@link stop}. A core that throws ends the run with a {@link SimulationError}. */
  runUntil(time: Millis): void {
    const end = Math.round(time)
    this.stopped = false
    try {
      while (!this.stopped && this.queue.pop(end)) {
        this.now = this.queue.time
        this.handle()
      }
    } catch (error) {
      throw error instanceof SimulationError ? error : new SimulationError(this.describe(), error)
    }
    if (!this.stopped) this.now = end
  }

  /** Makes {@link runUntil} return after the input it is handling. */
  stop(): void {
    this.stopped = true
  }

  get pending(): number {
    return this.queue.size
  }

  // ——— Effects: what the core that is stepping asks for

  send(to: NodeRef, message: Message): void {
    const from = this.stepping()
    const host = this.hostOf(to)
    const bytes = from.codec?.encode(message)
    this.counts.sent(message, bytes)
    if (host === undefined) return this.counts.dropped('unknown address')

    const noticeMs = this.network.noticeMs
    const delayMs = this.network.delayMs(from.host.index, host.index)
    if (noticeMs !== undefined) {
      ;(from.links ??= new Set()).add(host.index)
      if (delayMs === cut || host.process === undefined) this.giveNotice(from, host.index, to, noticeMs)
    }
    if (delayMs === cut) return this.counts.dropped('partition')
    if (delayMs === lost) return this.lose(from.host, host)
    if (this.accessLinks === undefined || host === from.host)
      this.queue.push(this.now + delayMs, entryKinds.message, host.index, from.index, bytes ?? message)
    else this.sendByLine(from, host, delayMs, bytes)
  }

  startTimer(timer: Timer, delayMs: Millis): void {
    const process = this.stepping()
    if (!(delayMs >= 0 && Number.isInteger(delayMs))) refuseDelay(timer, delayMs)
    this.queue.push(this.now + this.clocks.waits(process.host.index, delayMs), entryKinds.timer, process.index, 0, timer)
  }

  emit(event: KbrEvent): void {
    this.stepping()
    if (this.listeners.length > 0) this.emitted.push(event)
  }

  ask(application: string, token: number, question: Question): void {
    const process = this.stepping()
    let due = this.now
    if (question.kind === 'read' || question.kind === 'write' || question.kind === 'list') {
      const host = process.host
      due = Math.max(this.now + (question.kind === 'write' ? diskWriteMs : diskReadMs), this.diskFreeAt[host.index]!)
      this.diskFreeAt[host.index] = due
      host.disk.ask(question)
    }
    this.queue.push(due, entryKinds.answer, process.index, 0, { application, token, question } satisfies Asked)
  }

  // ——— Inputs: what is due

  private handle(): void {
    const { kind, target, source, payload } = this.queue
    switch (kind) {
      case entryKinds.message:
        return this.deliver(this.hosts[target]!.process, this.processes[source]!, payload as Message | Uint8Array)
      case entryKinds.timer:
        return this.fire(this.processes[target]!, payload as Timer)
      case entryKinds.answer:
        return this.answer(this.processes[target]!, payload as Asked)
      case entryKinds.peerDown:
        return this.tellPeerDown(this.processes[target]!, payload as PeerDown)
      case entryKinds.control:
        return (payload as () => void)()
    }
  }

  private deliver(to: Process | undefined, from: Process, payload: Message | Uint8Array): void {
    if (to === undefined) return this.counts.dropped('dead host')
    // Bytes outlive their sender's codec: whoever is there now decodes them with its own.
    const message = payload instanceof Uint8Array ? to.codec!.decode(payload, this.readRef) : payload
    const type = this.counts.delivered(message)
    this.trace.add(this.now, to.index, entryKinds.message, type.index, payload instanceof Uint8Array ? payload.length : sizeOf(message))
    if (this.network.noticeMs !== undefined) (to.links ??= new Set()).add(from.host.index)
    if (this.options.keepMet === true) (to.met ??= new Set()).add(from.host.index)
    this.enter(to)
    to.core.onMessage(from.self, message, this.clockOf(to), this)
    this.leaveStep(to)
  }

  private fire(process: Process, timer: Timer): void {
    if (!process.alive) return
    this.trace.add(this.now, process.index, entryKinds.timer, 0, timer.arg)
    this.enter(process)
    process.core.onTimer(timer, this.clockOf(process), this)
    this.leaveStep(process)
  }

  private answer(process: Process, { application, token, question }: Asked): void {
    if (!process.alive) return
    const answer = this.answerTo(process, application, question)
    this.trace.add(this.now, process.index, entryKinds.answer, token, 0)
    this.enter(process)
    process.core.onAnswer(application, token, answer, this.clockOf(process), this)
    this.leaveStep(process)
  }

  private answerTo(process: Process, application: string, question: Question): Answer {
    switch (question.kind) {
      case 'sign':
        return this.keys.sign(ownerName(process.host, application), question.message)
      case 'verify':
        return this.keys.verify(question)
      case 'sign-as-node':
        return this.keys.sign(nodeKeyName(process.self), question.message)
      case 'verify-node':
        return this.keys.isKeyOf(nodeKeyName(question.node), question.publicKey)
          ? this.keys.verify(question)
          : { kind: 'verified', valid: false }
      default:
        return process.host.disk.answer(question)
    }
  }

  private tellPeerDown(process: Process, { peer, host, cause }: PeerDown): void {
    if (cause === 'unreachable') process.attempts?.delete(host)
    if (!process.alive) return
    this.trace.add(this.now, process.index, entryKinds.peerDown, host, 0)
    this.enter(process)
    process.core.onPeerDown(peer, cause, this.clockOf(process), this)
    this.leaveStep(process)
  }

  // ——— Details

  /** What the clock of its host shows. */
  private clockOf(process: Process): Millis {
    return this.clocks.shows(process.host.index, this.now)
  }

  /** Through the queue before the sender's line, the network, and the queue before the receiver's. */
  private sendByLine(from: Process, host: Host, delayMs: Millis, bytes: Uint8Array | undefined): void {
    const lines = this.accessLinks!
    assert(bytes !== undefined, 'with access links, messages travel as bytes')
    const length = bytes.length + packetHeader
    const left = lines.leaves(from.host.index, length, this.now)
    if (left === undefined) return this.counts.dropped('queue')
    this.at(this.now + Math.round(left) + delayMs, () => {
      const arrived = lines.arrives(host.index, length, this.now)
      if (arrived === undefined) this.counts.dropped('queue')
      else this.queue.push(this.now + Math.round(arrived), entryKinds.message, host.index, from.index, bytes)
    })
  }

  private enter(process: Process): void {
    assert(this.current === undefined, 'a core was called while another step was still running')
    this.current = process
  }

  private leaveStep(process: Process): void {
    this.current = undefined
    this.afterStep?.(process)
    if (this.emitted.length > 0) this.tellListeners(process)
  }

  private tellListeners(process: Process): void {
    const events = this.emitted
    this.emitted = []
    for (const event of events) for (const listener of this.listeners) listener(process, event, this.now)
  }

  private stepping(): Process {
    if (this.current === undefined) throw new SimulationError('an effect was asked for outside a step', undefined)
    return this.current
  }

  private lose(from: Host, to: Host): void {
    this.counts.dropped('loss')
    for (const listener of this.lossListeners) listener(from, to, this.now)
  }

  private giveNotice(to: Process, host: number, peer: NodeRef, noticeMs: Millis): void {
    const attempts = (to.attempts ??= new Set())
    if (attempts.has(host)) return
    attempts.add(host)
    this.queue.push(this.now + noticeMs, entryKinds.peerDown, to.index, 0, { peer, host, cause: 'unreachable' } satisfies PeerDown)
  }

  private closeLinks(process: Process): void {
    if (process.links === undefined || this.network.noticeMs === undefined) return
    const { index } = process.host
    for (const peer of [...process.links].sort((a, b) => a - b)) {
      const other = this.hosts[peer]!.process
      if (other === undefined || !this.network.reaches(index, peer)) continue
      const due = this.now + this.topology.latencyMs(index, peer)
      this.queue.push(due, entryKinds.peerDown, other.index, 0, {
        peer: process.self,
        host: index,
        cause: 'disconnected',
      } satisfies PeerDown)
    }
  }

  private hostOf(ref: NodeRef): Host | undefined {
    return ref instanceof SimRef ? this.hosts[ref.host] : this.byAddress.get(ref.address)
  }

  /** A reference inside a message is believed when that host has had that id in that incarnation. */
  readonly readRef: RefReader = (id, address, epoch) => {
    const host = this.byAddress.get(address)
    return host?.id === id ? host.refs[epoch - 1] : undefined
  }

  private describe(): string {
    const { kind, target, payload } = this.queue
    const process = kind === entryKinds.message ? this.hosts[target]?.process : this.processes[target]
    const what =
      kind === entryKinds.control
        ? 'a control action'
        : `host ${process?.host.index} (${process === undefined ? '?' : shortGuid(process.self.id)})`
    const input =
      kind === entryKinds.timer ? `timer ${(payload as Timer).owner}/${(payload as Timer).kind}` : Object.keys(entryKinds)[kind - 1]
    return `at ${this.now} ms, ${what}, ${input}`
  }
}

/** Something went wrong inside a step; says when, where and on which input. `cause` is what was thrown. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError'

  constructor(where: string, cause: unknown) {
    super(cause instanceof Error ? `${where}: ${cause.message}` : where, { cause })
  }
}

/** The name of a host's owner key for {@link Keys}. */
export function ownerName(host: Host, application: string): string {
  return `${host.index}/${application}`
}

/** The name of the key an id stands for; epochs share it. */
function nodeKeyName(ref: NodeRef): string {
  return `node ${ref.id}`
}

function refuseDelay({ owner, kind }: Timer, delayMs: Millis): never {
  assert(false, `timer ${owner}/${kind} wants a delay of ${delayMs} ms, allowed are whole numbers >= 0`)
}

interface Asked {
  readonly application: string
  readonly token: number
  readonly question: Question
}

interface PeerDown {
  readonly peer: NodeRef
  readonly host: number
  readonly cause: PeerDownCause
}

/** Without a codec the bytes of a message are not known; its payload is most of them. */
function sizeOf(message: Message): number {
  const payload = (message as { payload?: unknown }).payload
  return payload instanceof Uint8Array ? payload.length : 0
}
