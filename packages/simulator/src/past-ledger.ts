import { guidOf, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, KbrEvent, Millis, Prng } from '@plaxton/kbr'
import { decodeRecord, namedGuid } from '@plaxton/past'
import type { PastEvent, PastNode, PastOutcome } from '@plaxton/past'
import type { Host, Process } from './host.ts'
import type { SimNode, Simulation } from './simulation.ts'
import { ownerName } from './simulator.ts'
import type { Violations } from './violations.ts'

/** What the world knows of one object. `unsure`: a put or remove failed, and may or may not have had its effect. */
export type ObjectState = 'putting' | 'put' | 'unsure' | 'removing' | 'removed'

/** One object somebody put, and the truth about it. */
export interface LedgerObject {
  readonly guid: Guid
  readonly bytes: Uint8Array
  readonly replicas: number
  /** Only this host's key may remove it. */
  readonly owner: SimNode
  state: ObjectState
  /** Set when all its copies went down faster than repair could have replaced them: it may be lost, or come back with a disk. */
  excused: boolean
  /** The last time one of its copies went down, or it was acknowledged: repair has had since then to restore it. */
  disturbedAt: Millis
  /** The machine that went down then, if one did: its other nodes go down with it, and are not one more failure. */
  disturbedBy: number | undefined
}

/** Counts of what commands came to. */
export interface CommandCounts {
  puts: number
  putsOk: number
  gets: number
  getsOk: number
  removes: number
  removesOk: number
  /** Reads of an object after its removal had been acknowledged that still got its bytes; the network was disturbed. */
  staleReads: number
}

/** Who remembers the removal of one object: a removal is kept like an object, and can be lost like one. */
interface Remembrance {
  /** Hosts, up or down, whose disks hold a record that says so. */
  readonly hosts: Set<number>
  /** Since when repair could have told others: the last time such a host went down, or the first came up. Infinity while none is up. */
  disturbedAt: Millis
  /** Set when all such hosts went down faster than repair could have told others, until one of them is back: a copy that missed the removal counts again. */
  lost: boolean
}

interface RunningCommand {
  readonly kind: 'put' | 'get' | 'remove'
  readonly object: LedgerObject
  readonly node: SimNode
  readonly process: Process
  readonly startedAt: Millis
  /** What the object was when the command began. */
  readonly stateBefore: ObjectState
}

/**
 * The global truth about stored objects: what was put, acknowledged and removed, and on which disks it lies. Drives PAST nodes with commands and
 * checks what becomes of them.
 *
 * A copy counts while its host is up and both its data and its record are on the disk (`d/<guid>` and `r/<guid>`, PAST's storage format). A
 * removal is remembered where the record says that every claim has been withdrawn.
 */
export class PastLedger {
  readonly objects = new Map<Guid, LedgerObject>()
  readonly counts: CommandCounts = { puts: 0, putsOk: 0, gets: 0, getsOk: 0, removes: 0, removesOk: 0, staleReads: 0 }
  /** True while messages are lost or cut off: what is lost then is nobody's fault. Set by the scenario. */
  impaired = false
  /** When it was last impaired. */
  private impairedAt: Millis = -Infinity
  /** From the final reading on, nothing disturbs the network. */
  private settled = false
  private readonly simulation: () => Simulation
  private readonly violations: Violations
  private readonly ranksKnown: number
  /** Who has which parts of each object, by guid and host. */
  private readonly disks = new Map<Guid, Map<number, number>>()
  /** By guid, of objects somebody has set out to remove. */
  private readonly removals = new Map<Guid, Remembrance>()
  private readonly running = new Map<string, RunningCommand>()
  /** By `<process>/<command>`; one short text per command given. */
  private readonly ended = new Set<string>()
  /** A command that ended in the very step that began it, before its number was known. */
  private early: { readonly name: string; readonly outcome: PastOutcome } | undefined = undefined
  private nextName = 0

  /**
   * `simulation` is asked for only once the simulation exists; give {@link onDisk} to its options and call {@link watch} then. `ranksKnown`: how far down the order of
   * ownership a root is certain of it.
   */
  constructor(simulation: () => Simulation, violations: Violations, ranksKnown = Infinity) {
    this.simulation = simulation
    this.violations = violations
    this.ranksKnown = ranksKnown
  }

  // ——— Commands

  /** Puts `bytes` from this node: a content object, or a named one with a name of its own. */
  put(node: SimNode, bytes: Uint8Array, options: { readonly named: boolean; readonly replicas: number }): LedgerObject | undefined {
    const past = pastOf(node)
    const name = options.named ? `object ${this.nextName++}` : undefined
    const ownerKey = this.simulation().simulator.keys.publicKeyOf(ownerName(node.host, past.name))
    const guid = name === undefined ? guidOf(bytes) : namedGuid(name, ownerKey)
    if (this.objects.has(guid)) return undefined
    const { replicas } = options
    const object: LedgerObject = {
      guid,
      bytes,
      replicas,
      owner: node,
      state: 'putting',
      excused: false,
      disturbedAt: this.now,
      disturbedBy: undefined,
    }
    this.objects.set(guid, object)
    this.counts.puts++
    const request = { guid, data: bytes, replicas, ...(name === undefined ? {} : { name }) }
    this.command('put', node, object, (now, fx) => past.put(request, now, fx))
    return object
  }

  get(node: SimNode, object: LedgerObject): void {
    const past = pastOf(node)
    this.counts.gets++
    this.command('get', node, object, (now, fx) => past.get({ guid: object.guid }, now, fx))
  }

  /** Removes the object, from its owner's node. */
  remove(object: LedgerObject): void {
    const past = pastOf(object.owner)
    object.state = 'removing'
    this.removals.set(object.guid, { hosts: new Set(), disturbedAt: Infinity, lost: false })
    this.counts.removes++
    this.command('remove', object.owner, object, (now, fx) => past.remove({ guid: object.guid }, now, fx))
  }

  // ——— What happens

  /** Hears of every entry that became durable or was erased. */
  readonly onDisk = (host: Host, key: string, bytes: Uint8Array | undefined): void => {
    const part = key.startsWith('d/') ? dataPart : key.startsWith('r/') ? recordPart : 0
    if (part === 0) return
    const guid = key.slice(2) as Guid
    if (part === recordPart) this.onRecord(guid, host, bytes)
    const hosts = this.disks.get(guid) ?? new Map<number, number>()
    this.disks.set(guid, hosts)
    const before = hosts.get(host.index) ?? 0
    const after = bytes === undefined ? before & ~part : before | part
    if (after === 0) hosts.delete(host.index)
    else hosts.set(host.index, after)
    if (before === wholeCopy && after !== wholeCopy && host.process !== undefined) this.onErased(guid, host)
  }

  /** Starts to listen. */
  watch(simulation: Simulation): void {
    simulation.onEvent((node, event) => this.onEvent(node, event))
    simulation.onDown((node) => this.onDown(node))
  }

  /** Hosts that are up and hold a whole copy. */
  holders(guid: Guid): number[] {
    const { nodes } = this.simulation()
    return [...(this.disks.get(guid) ?? [])].filter(([host, parts]) => parts === wholeCopy && nodes[host]!.running).map(([host]) => host)
  }

  /** Hosts that are up and remember the removal of this object. */
  rememberers(guid: Guid): number[] {
    const { nodes } = this.simulation()
    return [...(this.removals.get(guid)?.hosts ?? [])].filter((host) => nodes[host]!.running)
  }

  /** How many objects are excused: those that may be lost, and those whose removal may be. */
  get excused(): number {
    return [...this.objects.values()].filter((object) => object.excused || this.removals.get(object.guid)?.lost === true).length
  }

  /** Says that the network is disturbed, or no longer. */
  setImpaired(impaired: boolean): void {
    if (this.impaired) this.impairedAt = this.now
    this.impaired = impaired
  }

  // ——— Checks

  /** Acknowledged objects are there, on each of their nodes, and removed ones are not. After quiet. Returns copies beyond those wanted. */
  checkCopies(): number {
    let extra = 0
    for (const object of this.objects.values()) {
      const holders = this.holders(object.guid)
      if (this.mustBeGone(object)) {
        if (holders.length > 0) this.fail('removed objects stay gone', `${shortGuid(object.guid)} is on hosts ${holders.join(', ')}`)
      } else if (holders.length > 0) {
        extra += this.checkReplicas(object, holders)
      } else if (object.state === 'put' && !object.excused) {
        this.fail('no acknowledged object lost', `${shortGuid(object.guid)}, put from host ${object.owner.host.index}, is nowhere`)
      }
    }
    return extra
  }

  /** Reads every object from `readers` random nodes, running the simulation meanwhile: what is anywhere must be read, what was removed must not. */
  readBack(prng: Prng, readers: number): void {
    const simulation = this.simulation()
    this.settled = true
    for (const object of this.objects.values()) {
      for (let i = 0; i < readers; i++) this.get(prng.pick(simulation.running().filter((node) => node.ready))!, object)
      simulation.run(readGapMs)
    }
    simulation.run(commandLimitMs)
  }

  /** Every command of a node that still runs has ended. After they have had their time. */
  checkEnded(): void {
    for (const { kind, object, process, startedAt } of this.running.values()) {
      if (!process.alive || this.now - startedAt < commandLimitMs) continue
      this.fail(
        'every command ends once',
        `${kind} of ${shortGuid(object.guid)} at host ${process.host.index}, begun at ${startedAt} ms, has not ended`,
      )
    }
  }

  // ——— Details

  private get now(): Millis {
    return this.simulation().now
  }

  private fail(check: string, detail: string): void {
    this.violations.add(check, this.now, detail)
  }

  private command(kind: RunningCommand['kind'], node: SimNode, object: LedgerObject, run: (now: Millis, fx: AppEffects) => number): void {
    const process = node.process!
    const number = this.simulation().command(node, pastOf(node), (fx, now) => run(now, fx))
    const name = `${process.index}/${number}`
    const { early } = this
    this.early = undefined
    if (this.running.has(name) || (this.ended.has(name) && early?.name !== name))
      this.fail('every command ends once', `host ${node.host.index} gave the number ${number} twice`)
    this.running.set(name, { kind, object, node, process, startedAt: this.now, stateBefore: object.state })
    if (early !== undefined) this.onDone(early.name, early.outcome)
  }

  private onEvent(node: SimNode, event: KbrEvent | PastEvent): void {
    if (event.type === 'ready') this.onUp(node)
    if (event.type !== 'past:done') return
    const { command, outcome } = event as Extract<PastEvent, { type: 'past:done' }>
    const name = `${node.process!.index}/${command}`
    if (this.ended.has(name)) return this.fail('every command ends once', `command ${command} of host ${node.host.index} ended twice`)
    this.ended.add(name)
    if (this.running.has(name)) this.onDone(name, outcome)
    else this.early = { name, outcome }
  }

  private onDone(name: string, outcome: PastOutcome): void {
    const running = this.running.get(name)
    if (running === undefined) return this.fail('every command ends once', `a command nobody gave ended, ${name}`)
    this.running.delete(name)
    const { kind, object, stateBefore } = running
    switch (kind) {
      case 'put':
        if (outcome.ok) this.counts.putsOk++
        if (object.state === 'putting') object.state = outcome.ok ? 'put' : 'unsure'
        object.disturbedAt = this.now
        object.disturbedBy = undefined
        break
      case 'remove':
        if (outcome.ok) this.counts.removesOk++
        object.state = outcome.ok ? 'removed' : 'unsure'
        break
      case 'get':
        if (outcome.ok) this.onRead(object, outcome.value as Uint8Array, stateBefore === 'removed')
        else this.onNotRead(running, outcome.error.message)
        break
    }
  }

  private onRead(object: LedgerObject, bytes: Uint8Array, afterRemoval: boolean): void {
    this.counts.getsOk++
    if (afterRemoval) this.counts.staleReads++
    if (afterRemoval && this.settled && this.mustBeGone(object))
      this.fail('removed objects stay gone', `${shortGuid(object.guid)} was read`)
    if (Buffer.compare(bytes, object.bytes) !== 0)
      this.fail('reads give what was put', `${shortGuid(object.guid)} came back with other bytes`)
  }

  /** While no messages are lost or cut off, whatever has been put and is still on a member can be read, however many nodes have just died. */
  private onNotRead({ object, node, startedAt, stateBefore }: RunningCommand, reason: string): void {
    if (node.leaving || !this.isInReach(object, startedAt)) return
    const isPut = stateBefore === 'put' && object.state === 'put' && !object.excused
    const wasCalm = !this.impaired && startedAt - this.impairedAt >= calmMs
    if (this.settled ? this.mustBeGone(object) : !isPut || !wasCalm) return
    this.fail('stored objects can be read', `${shortGuid(object.guid)} from host ${node.host.index}: ${reason}`)
  }

  /**
   * Whether a host with a copy has been a member since then. One that joins is known to those at most whom it has told, and these may all have
   * died: its copy is not lost, but readers are sure to hear of it only once it is a member, and who was asked before that may have said no.
   */
  private isInReach({ guid }: LedgerObject, since: Millis): boolean {
    const { nodes } = this.simulation()
    return this.holders(guid).some((host) => (nodes[host]!.process?.memberSince ?? Infinity) <= since)
  }

  /** A node that runs let go of its copy. The last copy of a live object goes with a crash or never. */
  private onErased(guid: Guid, host: Host): void {
    const object = this.objects.get(guid)
    if (object === undefined || (object.state !== 'put' && object.state !== 'putting')) return
    if (object.state === 'put' && this.holders(guid).length === 0 && !object.excused) {
      this.fail('no acknowledged object lost', `host ${host.index} erased the last copy of ${shortGuid(guid)}`)
    }
  }

  /** A record was written or erased: whether it says that the object has been removed. */
  private onRecord(guid: Guid, host: Host, bytes: Uint8Array | undefined): void {
    const removal = this.removals.get(guid)
    if (removal === undefined) return
    const isRemoval = bytes !== undefined && decodeRecord(bytes).every((claim) => claim.withdrawal !== undefined)
    if (!isRemoval) removal.hosts.delete(host.index)
    else if (!removal.hosts.has(host.index)) {
      removal.hosts.add(host.index)
      if (host.process !== undefined) this.onRemembered(guid, removal, host.index)
    }
  }

  /** A node has become a member: what does it remember that nobody else does? */
  private onUp({ host }: SimNode): void {
    for (const [guid, removal] of this.removals) if (removal.hosts.has(host.index)) this.onRemembered(guid, removal, host.index)
  }

  /** This host is up and remembers a removal; when it is the only one, repair begins now. */
  private onRemembered(guid: Guid, removal: Remembrance, host: number): void {
    if (this.rememberers(guid).some((other) => other !== host)) return
    removal.disturbedAt = this.now
    removal.lost = false
  }

  /** A node goes down: did it have the last copy of something, or the last word of its removal, and was there time to make others? */
  private onDown(node: SimNode): void {
    this.onCopiesDown(node)
    const { index } = node.host
    for (const [guid, removal] of this.removals) {
      if (!removal.hosts.has(index)) continue
      const others = this.rememberers(guid).some((host) => host !== index)
      if (!others && !this.wasCalmSince(removal.disturbedAt)) removal.lost = true
      removal.disturbedAt = others ? this.now : Infinity
    }
  }

  private onCopiesDown(node: SimNode): void {
    const { index } = node.host
    const simulation = this.simulation()
    const machine = simulation.machineOf(index)
    for (const [guid, hosts] of this.disks) {
      if (hosts.get(index) !== wholeCopy) continue
      const object = this.objects.get(guid)
      if (object === undefined || (simulation.virtualNodes > 1 && object.disturbedAt === this.now && object.disturbedBy === machine))
        continue
      const others = this.holders(guid).some((host) => simulation.machineOf(host) !== machine)
      if (!others && !this.wasCalmSince(object.disturbedAt)) object.excused = true
      object.disturbedAt = this.now
      object.disturbedBy = machine
    }
  }

  /** Whether repair has had its time since then, with no messages lost or cut off. */
  private wasCalmSince(disturbedAt: Millis): boolean {
    return !this.impaired && this.now - Math.max(this.impairedAt, disturbedAt) >= repairMs
  }

  /** Removed, and the removal not excusably forgotten. */
  private mustBeGone({ guid, state }: LedgerObject): boolean {
    return state === 'removed' && this.removals.get(guid)?.lost !== true
  }

  private checkReplicas(object: LedgerObject, holders: readonly number[]): number {
    const { nodes } = this.simulation()
    const wanted = this.belongsOn(object)
    const missing = wanted.filter((host) => !holders.includes(host))
    if (missing.length > 0) {
      const detail = `${shortGuid(object.guid)} (${object.state}) is on ${holders.length} hosts, but not on ${missing.map((host) => `${host} (${shortGuid(nodes[host]!.id)})`).join(', ')}`
      this.fail('objects on their k nodes', detail)
    }
    if (this.simulation().virtualNodes > 1) this.checkMachines(object, holders)
    return holders.filter((host) => !wanted.includes(host)).length
  }

  /** Also where no root can know which machine is the last of them. */
  private checkMachines({ guid, replicas, state }: LedgerObject, holders: readonly number[]): void {
    const simulation = this.simulation()
    const machinesOf = (hosts: readonly number[]): number => new Set(hosts.map((host) => simulation.machineOf(host))).size
    const machines = machinesOf(simulation.running().map(({ host }) => host.index))
    const found = machinesOf(holders)
    if (found >= Math.min(replicas, machines)) return
    this.fail('objects on k machines', `${shortGuid(guid)} (${state}) is on ${found} of ${machines} machines, and should be on ${replicas}`)
  }

  /**
   * The hosts an object belongs on: the first of each machine in the order of ownership, as many as it has replicas, and as far as its root can be certain of that order.
   */
  private belongsOn({ guid, replicas }: LedgerObject): number[] {
    const simulation = this.simulation()
    const { members, virtualNodes } = simulation
    if (virtualNodes === 1) return members.ranks(guid, replicas).map((id) => members.of(id)!.host.index)
    const firsts = new Map<number, number>()
    for (const id of members.ranks(guid, Math.min(members.size, this.ranksKnown))) {
      const { index } = members.of(id)!.host
      const machine = simulation.machineOf(index)
      if (!firsts.has(machine)) firsts.set(machine, index)
    }
    return [...firsts.values()].slice(0, replicas)
  }
}

const dataPart = 1
const recordPart = 2
const wholeCopy = dataPart | recordPart

/**
 * Time in which repair must have made new copies: a heartbeat period with its probes (MSPastry: 30 s + 3 × 3 s), two leaf-set exchanges to spread the
 * news (2 × 30 s), and PAST's comparison with the copying (our guess, 21 s).
 */
const repairMs = 120_000

/** After a disturbance of messages, time for nodes that were taken for dead to be taken back: two leaf-set exchanges. */
const calmMs = 60_000

/** Longer than any command takes: PAST's own limit is 10 s. */
const commandLimitMs = 30_000

/** Between reading one object back and the next. */
const readGapMs = 20

function pastOf(node: SimNode): PastNode {
  return node.application('past') as PastNode
}
