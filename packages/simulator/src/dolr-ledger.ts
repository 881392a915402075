import type { DolrEvent, DolrNode, DolrOutcome } from '@plaxton/dolr'
import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, KbrEvent, Millis, NodeRef, Prng } from '@plaxton/kbr'
import type { Process } from './host.ts'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/** That a node hosts an object: from the command to publish until that fails, the command to unpublish, or the end of the process. */
export interface Hosting {
  readonly guid: Guid
  readonly node: SimNode
  readonly process: Process
  /** Acknowledged. */
  published: boolean
}

/** Counts of what commands came to. */
export interface DolrCounts {
  publishes: number
  publishesOk: number
  unpublishes: number
  unpublishesOk: number
  sends: number
  sendsOk: number
  locates: number
  locatesOk: number
  /** Messages that more hosts had than were to. */
  extraDeliveries: number
}

/** One message sent to an object; its number is its payload. */
interface Sending {
  readonly guid: Guid
  readonly from: Process
  readonly n: number
  readonly startedAt: Millis
  /** Processes that had the message. */
  readonly receivers: Set<Process>
  answers: number
  /** A receiver died, or a node that had passed it on, or messages were cut off or late: others may then rightly have had it too. */
  excused: boolean
}

type Verb = 'publish' | 'unpublish' | 'send' | 'locate'

interface RunningCommand {
  readonly verb: Verb
  readonly guid: Guid
  readonly node: SimNode
  readonly process: Process
  readonly startedAt: Millis
  readonly hosting?: Hosting | undefined
  readonly sending?: Sending | undefined
  /** Hosts asked for. */
  readonly n: number
  readonly mayBeStale: boolean
}

/**
 * The global truth about located objects: who hosts what. Drives DOLR nodes with commands, answers the messages that come to hosts, and checks what becomes of it all.
 */
export class DolrLedger {
  /** Every object that was ever published. */
  readonly objects = new Set<Guid>()
  readonly counts: DolrCounts = {
    publishes: 0,
    publishesOk: 0,
    unpublishes: 0,
    unpublishesOk: 0,
    sends: 0,
    sendsOk: 0,
    locates: 0,
    locatesOk: 0,
    extraDeliveries: 0,
  }
  private readonly simulation: () => Simulation
  private readonly violations: Violations
  private readonly hosts = new Map<Guid, Map<Process, Hosting>>()
  /** In the order sent. */
  private readonly sendings: Sending[] = []
  private readonly running = new Map<string, RunningCommand>()
  /** By `<process>/<command>`; one short text per command given. */
  private readonly ended = new Set<string>()
  /** What was heard of commands in the very step that began them, before their numbers were known. */
  private early: Array<readonly [name: string, event: DolrEvent]> = []
  private impaired = false
  /** Between which hosts messages were lost, in the order of time; those during the longest command. */
  private readonly losses: Loss[] = []
  /** From the final search on, nothing disturbs the network. */
  private settled = false

  /** `simulation` is asked for only once the simulation exists. */
  constructor(simulation: () => Simulation, violations: Violations) {
    this.simulation = simulation
    this.violations = violations
  }

  // ——— Commands

  /** Does nothing when the node hosts the object already. */
  publish(node: SimNode, guid: Guid): void {
    const process = node.process!
    const hosts = this.hosts.get(guid) ?? new Map<Process, Hosting>()
    if (hosts.has(process)) return
    const hosting: Hosting = { guid, node, process, published: false }
    this.objects.add(guid)
    this.hosts.set(guid, hosts.set(process, hosting))
    this.counts.publishes++
    this.command('publish', node, guid, { hosting }, (dolr, now, fx) => dolr.publish({ guid, answers: true }, now, fx))
  }

  unpublish(node: SimNode, guid: Guid): void {
    this.hosts.get(guid)?.delete(node.process!)
    this.counts.unpublishes++
    this.command('unpublish', node, guid, {}, (dolr, now, fx) => dolr.unpublish({ guid }, now, fx))
  }

  send(node: SimNode, guid: Guid, n: number): void {
    const sending: Sending = { guid, from: node.process!, n, startedAt: this.now, receivers: new Set(), answers: 0, excused: this.impaired }
    const message = encodeNumber(this.sendings.push(sending) - 1)
    this.counts.sends++
    this.command('send', node, guid, { sending, n }, (dolr, now, fx) => dolr.send({ guid, message, n }, now, fx))
  }

  /** `mayBeStale`: pointers to hosts that are gone may not have expired yet. */
  locate(node: SimNode, guid: Guid, n: number, mayBeStale = false): void {
    this.counts.locates++
    this.command('locate', node, guid, { n, mayBeStale }, (dolr, now, fx) => dolr.locate({ guid, n }, now, fx))
  }

  // ——— What happens

  /** Starts to listen. */
  watch(simulation: Simulation): void {
    simulation.onEvent((node, event) => this.onEvent(node, event))
    simulation.onDown((node) => this.onDown(node))
    simulation.simulator.onLoss((from, to, at) => this.onLoss({ at, from: from.index, to: to.index }))
  }

  /** Says that messages are being cut off, late or lost in great numbers, or no longer. */
  setImpaired(impaired: boolean): void {
    this.impaired = impaired
    if (impaired) for (const { sending } of this.running.values()) if (sending !== undefined) sending.excused = true
  }

  /** Who hosts what, of nodes that could withdraw it. */
  hostings(): Hosting[] {
    return [...this.hosts.values()]
      .flatMap((hosts) => [...hosts.values()])
      .filter(({ node, published }) => published && node.ready && !node.leaving)
  }

  // ——— Checks

  /** After quiet and the life of a pointer, no node has a pointer to who hosts the object no more. */
  checkPointers(): void {
    const simulation = this.simulation()
    for (const node of simulation.running()) {
      const dolr = dolrOf(node)
      dolr.assertInvariants()
      for (const guid of this.objects) {
        const wrong = simulation.command(node, dolr, (fx, now) => dolr.pointersTo(guid, now, fx)).filter((host) => !this.isHost(guid, host))
        if (wrong.length > 0) this.fail('pointers name hosts', `host ${node.host.index} has ${shortGuid(guid)} at ${names(wrong)}`)
      }
    }
  }

  /** From every node, every object that is hosted is found, though pointers to hosts that are gone may be left. After quiet and a republication. */
  findHosted(): void {
    const simulation = this.simulation()
    this.settled = true
    for (const guid of this.objects) {
      if (this.liveHosts(guid).length === 0) continue
      for (const node of simulation.running()) if (node.ready) this.locate(node, guid, maxHosts, true)
      simulation.run(findGapMs)
    }
    simulation.run(commandLimitMs)
  }

  /** From every node, every object that is hosted is found and gets a message, all its hosts are found together, and what nobody hosts is not found. */
  findEverything(prng: Prng): void {
    const simulation = this.simulation()
    this.settled = true
    for (const guid of this.objects) {
      const members = simulation.running().filter((node) => node.ready)
      const hosts = this.liveHosts(guid)
      const sources = hosts.length > 0 ? members : prng.shuffle(members).slice(0, fewSources)
      for (const node of sources) this.locate(node, guid, 1)
      this.locate(prng.pick(members)!, guid, Math.min(maxHosts, hosts.length + 1))
      for (let n = 1; n <= 2; n++) this.send(prng.pick(members)!, guid, n)
      simulation.run(findGapMs)
    }
    simulation.run(commandLimitMs)
  }

  /** Every command of a node that still runs has ended. After they have had their time. */
  checkEnded(): void {
    for (const { verb, guid, process, startedAt } of this.running.values()) {
      if (!process.alive || this.now - startedAt < commandLimitMs) continue
      this.fail(
        'every command ends once',
        `${verb} of ${shortGuid(guid)} at host ${process.host.index}, begun at ${startedAt} ms, has not ended`,
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

  private liveHosts(guid: Guid): Hosting[] {
    return [...(this.hosts.get(guid)?.values() ?? [])].filter(({ published }) => published)
  }

  private isHost(guid: Guid, { id, epoch }: NodeRef): boolean {
    return this.liveHosts(guid).some(({ process: { self } }) => self.id === id && self.epoch === epoch)
  }

  private command(
    verb: Verb,
    node: SimNode,
    guid: Guid,
    about: { readonly hosting?: Hosting; readonly sending?: Sending; readonly n?: number; readonly mayBeStale?: boolean },
    run: (dolr: DolrNode, now: Millis, fx: AppEffects) => number,
  ): void {
    const process = node.process!
    const dolr = dolrOf(node)
    const number = this.simulation().command(node, dolr, (fx, now) => run(dolr, now, fx))
    const name = `${process.index}/${number}`
    if (this.running.has(name) || this.ended.has(name))
      this.fail('every command ends once', `host ${node.host.index} gave the number ${number} twice`)
    this.running.set(name, { verb, guid, node, process, startedAt: this.now, n: 1, mayBeStale: false, ...about })
    const { early } = this
    this.early = []
    for (const [about_, event] of early) this.onCommandEvent(about_, event)
  }

  private onEvent(node: SimNode, event: KbrEvent | DolrEvent): void {
    switch (event.type) {
      case 'dolr:message':
        return this.onMessage(node, event as Extract<DolrEvent, { type: 'dolr:message' }>)
      case 'dolr:reply':
      case 'dolr:done': {
        const heard = event as Extract<DolrEvent, { type: 'dolr:reply' | 'dolr:done' }>
        return this.onCommandEvent(`${node.process!.index}/${heard.command}`, heard)
      }
    }
  }

  private onCommandEvent(name: string, event: DolrEvent): void {
    const running = this.running.get(name)
    if (running === undefined && !this.ended.has(name)) {
      this.early.push([name, event])
    } else if (running === undefined) {
      this.fail('every command ends once', `command ${name} was heard of after its end: ${event.type}`)
    } else if (event.type === 'dolr:reply') {
      this.onAnswered(running, event.host)
    } else if (event.type === 'dolr:done') {
      this.running.delete(name)
      this.ended.add(name)
      this.onDone(running, event.outcome)
    }
  }

  /** A host has a message: it answers with the same bytes. */
  private onMessage(node: SimNode, { delivery, guid, message }: Extract<DolrEvent, { type: 'dolr:message' }>): void {
    const process = node.process!
    const number = decodeNumber(message)
    const sending = this.sendings[number]
    const where = `message ${number} to ${shortGuid(guid)} at host ${node.host.index}`
    if (sending?.guid !== guid) return this.fail('messages go to hosts only', `${where} was never sent`)
    if (this.hosts.get(guid)?.has(process) !== true) this.fail('messages go to hosts only', `${where}, which does not host it`)
    if (sending.receivers.has(process)) this.fail('a host has a message once', `${where} came again`)
    sending.receivers.add(process)
    if (sending.receivers.size > sending.n) {
      this.counts.extraDeliveries++
      if (!sending.excused && !this.wasLost(sending))
        this.fail('at most n hosts have a message', `${where} is delivery ${sending.receivers.size} of at most ${sending.n}`)
    }
    const dolr = dolrOf(node)
    this.simulation().command(node, dolr, (fx, now) => dolr.answer(delivery, true, message, now, fx))
  }

  private onAnswered({ sending, guid }: RunningCommand, host: NodeRef | undefined): void {
    if (sending === undefined)
      return this.fail('answers come from hosts', `an answer to a command about ${shortGuid(guid)} that sent nothing`)
    if (++sending.answers > sending.n)
      this.fail('at most n hosts have a message', `${sending.answers} answers to a message for ${sending.n}`)
    // By id: who restarts and publishes again may have the message that was sent to the incarnation before.
    const had = host === undefined ? sending.receivers.size > 0 : [...sending.receivers].some(({ self }) => self.id === host.id)
    if (!had)
      this.fail(
        'answers come from hosts',
        `${host === undefined ? 'somebody' : names([host])} answered for ${shortGuid(guid)} and has not had the message`,
      )
  }

  private onDone(running: RunningCommand, outcome: DolrOutcome): void {
    switch (running.verb) {
      case 'publish': {
        const hosting = running.hosting!
        hosting.published = outcome.ok
        if (outcome.ok) this.counts.publishesOk++
        else if (this.hosts.get(running.guid)?.get(running.process) === hosting) this.hosts.get(running.guid)!.delete(running.process)
        break
      }
      case 'unpublish':
        if (outcome.ok) this.counts.unpublishesOk++
        break
      case 'send':
        if (outcome.ok) this.counts.sendsOk++
        if (this.settled) this.judgeSend(running, outcome)
        break
      case 'locate':
        if (outcome.ok) this.counts.locatesOk++
        if (this.settled) this.judgeLocate(running, outcome)
        break
    }
  }

  private judgeSend({ guid, node, sending, n }: RunningCommand, outcome: DolrOutcome): void {
    const hosts = this.liveHosts(guid).length
    const wanted = Math.min(n, hosts)
    const where = `${shortGuid(guid)} with ${hosts} hosts, from host ${node.host.index}`
    if (wanted === 0 && outcome.ok) this.fail('what nobody hosts is not found', where)
    if (wanted > 0 && !outcome.ok) this.fail('published objects are found', `send to ${where}: ${outcome.error.message}`)
    else if (sending!.answers < wanted) this.fail('published objects are found', `send to ${n} of ${where}: ${sending!.answers} answers`)
  }

  private judgeLocate({ guid, node, n, mayBeStale }: RunningCommand, outcome: DolrOutcome): void {
    const hosts = this.liveHosts(guid)
    const where = `${shortGuid(guid)} with ${hosts.length} hosts, from host ${node.host.index}`
    if (!outcome.ok) {
      if (hosts.length > 0) this.fail('published objects are found', `${where}: ${outcome.error.message}`)
      return
    }
    const found = outcome.value as readonly NodeRef[]
    if (mayBeStale) {
      if (!found.some((host) => this.isHost(guid, host))) this.fail('published objects are found', `${where}: only at ${names(found)}`)
      return
    }
    const wrong = found.filter((host) => !this.isHost(guid, host))
    if (wrong.length > 0) this.fail('what nobody hosts is not found', `${where}: at ${names(wrong)}`)
    const wanted = Math.min(n, hosts.length)
    if (found.length < wanted) this.fail('published objects are found', `${where}: ${found.length} hosts of ${wanted}`)
  }

  private onLoss(loss: Loss): void {
    while (this.losses.length > 0 && this.losses[0]!.at < loss.at - commandLimitMs) this.losses.shift()
    this.losses.push(loss)
  }

  /**
   * Whether something between those who had to do with this message was lost since it was sent: who sent it, who passed it on, who had it. Each of
   * them may then have taken another for dead and turned to the next.
   */
  private wasLost({ guid, from, startedAt, receivers }: Sending): boolean {
    const passers = this.simulation()
      .running()
      .filter((node) => dolrOf(node).hasPassed(guid, startedAt))
    const involved = new Set([from.host.index, ...[...receivers].map(({ host }) => host.index), ...passers.map(({ host }) => host.index)])
    return this.losses.some((loss) => loss.at >= startedAt && involved.has(loss.from) && involved.has(loss.to))
  }

  /** A node goes down, and with it what it hosted; whoever sent it a message may try another. */
  private onDown(node: SimNode): void {
    const process = node.process!
    for (const hosts of this.hosts.values()) hosts.delete(process)
    for (const { sending } of this.running.values()) {
      if (sending === undefined) continue
      const hasPassed = dolrOf(node).hasPassed(sending.guid, sending.startedAt)
      if (hasPassed || sending.receivers.has(process)) sending.excused = true
    }
  }
}

interface Loss {
  readonly at: Millis
  /** Numbers of hosts. */
  readonly from: number
  readonly to: number
}

/** Longer than any command takes: DOLR's own limit is 10 s. */
const commandLimitMs = 15_000
/** Most hosts one search may ask for. */
const maxHosts = 16
/** Nodes that look for what nobody hosts: each such search takes several rounds. */
const fewSources = 3
/** Between looking for one object and the next. */
const findGapMs = 200

function dolrOf(node: SimNode): DolrNode {
  return node.application('dolr') as DolrNode
}

function names(refs: readonly NodeRef[]): string {
  return refs.map(({ id, address }) => `${shortGuid(id)} (${address})`).join(', ')
}

function encodeNumber(number: number): Uint8Array {
  return Uint8Array.of(number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24)
}

function decodeNumber(bytes: Uint8Array): number {
  return bytes.length === 4 ? bytes[0]! + bytes[1]! * 256 + bytes[2]! * 65536 + bytes[3]! * 16777216 : -1
}
