import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { KbrNode } from '@plaxton/routing'
import { Simulator } from '@plaxton/simulator'
import type { Host, NetworkConfig, Process } from '@plaxton/simulator'
import { IndexClient, IndexServer, star } from '../src/index.ts'
import type { CentralIndexEvent, ClientConfig, FetchedFile, FoundFile, IndexOutcome, OfferedFile, ServerConfig } from '../src/index.ts'

export interface TestNetworkInit {
  readonly servers: number
  readonly clients: number
  readonly seed?: number
  readonly network?: Partial<NetworkConfig>
  readonly server?: Partial<ServerConfig>
  readonly client?: Partial<ClientConfig>
}

/** How a client answers a peer that wants a piece; undefined: what it read from its files; `silence`: not at all. */
export type Serving = (piece: {
  readonly guid: Guid
  readonly offset: number
  readonly length: number
}) => Uint8Array | Error | 'silence' | undefined

/** A client or server on its host, which may be down. */
export class TestNode<Core extends IndexClient | IndexServer> {
  readonly host: Host
  process: Process | undefined = undefined
  core!: Core
  /** What its disk holds, by guid; clients only. */
  readonly files = new Map<Guid, Uint8Array>()
  serve: Serving = () => undefined
  /** Whether messages to objects that it hosts are answered. */
  answersMessages = true
  /** Events of it, in their order. */
  readonly events: CentralIndexEvent[] = []

  constructor(host: Host) {
    this.host = host
  }

  get id(): Guid {
    return this.host.id
  }

  get kbr(): KbrNode {
    return this.process!.core as KbrNode
  }
}

/** Servers and clients of a central index in virtual time; every message goes through the codec. */
export class TestNetwork {
  readonly simulator: Simulator
  readonly servers: Array<TestNode<IndexServer>> = []
  readonly clients: Array<TestNode<IndexClient>> = []
  private readonly init: TestNetworkInit
  private readonly outcomes = new Map<string, IndexOutcome>()
  private readonly byProcess = new Map<Process, TestNode<IndexClient | IndexServer>>()

  constructor(init: TestNetworkInit) {
    this.init = init
    this.simulator = new Simulator({ seed: init.seed ?? 1, network: { noticeMs: 100, ...init.network } })
    this.simulator.onEvent((process, event) => this.onEvent(process, event as CentralIndexEvent))
    for (let i = 0; i < init.servers; i++) this.servers.push(new TestNode(this.simulator.addHost(idOf(`server ${i}`))))
    for (let i = 0; i < init.clients; i++) this.clients.push(new TestNode(this.simulator.addHost(idOf(`client ${i}`))))
    for (const server of this.servers) this.startServer(server)
    for (const client of this.clients) this.startClient(client)
  }

  get now(): Millis {
    return this.simulator.now
  }

  run(ms: Millis): void {
    this.simulator.run(ms)
  }

  startServer(node: TestNode<IndexServer>): void {
    node.core = new IndexServer(this.init.server)
    this.start(node, true)
  }

  startClient(node: TestNode<IndexClient>): void {
    node.core = new IndexClient(this.init.client ?? {}, this.simulator.stream(`${node.id} ${this.now}`))
    this.start(node, false)
  }

  crash(node: TestNode<IndexClient | IndexServer>): void {
    this.simulator.kill(node.process!)
    node.process = undefined
  }

  leave(node: TestNode<IndexClient | IndexServer>): void {
    this.simulator.step(node.process!, (now, fx) => node.kbr.leave(now, fx))
    this.run(5_000)
    this.crash(node)
  }

  /** Gives a command and returns how it ended; it must end within `withinMs`. */
  outcome(
    node: TestNode<IndexClient>,
    command: (client: IndexClient, now: Millis, fx: AppEffects) => number,
    withinMs = 60_000,
  ): IndexOutcome {
    const id = this.command(node, command)
    const key = `${node.process!.index} ${id}`
    const end = this.now + withinMs
    while (!this.outcomes.has(key) && this.now < end) this.run(1)
    const outcome = this.outcomes.get(key)
    assert(outcome !== undefined, `a command did not end within ${withinMs} ms`)
    return outcome
  }

  command(node: TestNode<IndexClient>, command: (client: IndexClient, now: Millis, fx: AppEffects) => number): number {
    return this.simulator.step(node.process!, (now, fx) => node.kbr.command(node.core, now, fx, (appFx) => command(node.core, now, appFx)))
  }

  value<T>(outcome: IndexOutcome): T {
    assert(outcome.ok, outcome.ok ? '' : outcome.error.stack)
    return outcome.value as T
  }

  /** Offers a file with these bytes. */
  share(node: TestNode<IndexClient>, name: string, bytes: Uint8Array): Guid {
    const file = this.keep(node, name, bytes)
    this.value(this.outcome(node, (client, now, fx) => client.share({ files: [file] }, now, fx)))
    return file.guid
  }

  keep(node: TestNode<IndexClient>, name: string, bytes: Uint8Array): OfferedFile {
    const guid = guidOf(bytes)
    node.files.set(guid, bytes)
    return { guid, name, size: bytes.length }
  }

  search(node: TestNode<IndexClient>, text: string): readonly FoundFile[] {
    return this.value(this.outcome(node, (client, now, fx) => client.search({ text, max: 100 }, now, fx)))
  }

  fetch(node: TestNode<IndexClient>, guid: Guid, offer = true): FetchedFile {
    return this.value(this.outcome(node, (client, now, fx) => client.fetch({ guid, offer }, now, fx), 600_000))
  }

  located(node: TestNode<IndexClient>, guid: Guid, n = 16, checked = false): Guid[] {
    const hosts: readonly NodeRef[] = this.value(this.outcome(node, (client, now, fx) => client.locate({ guid, n, checked }, now, fx)))
    return hosts.map(({ id }) => id)
  }

  /** Sentences about the latest command of a node, by step. */
  steps(node: TestNode<IndexClient>): string[] {
    return node.events.flatMap((event) => (event.type === 'central-index:progress' ? [event.step] : []))
  }

  /** Cuts these off from all others. */
  cut(nodes: ReadonlyArray<TestNode<IndexClient | IndexServer>>): void {
    this.simulator.network.partition([nodes.map(({ host }) => host.index)])
  }

  heal(): void {
    this.simulator.network.heal()
  }

  /** Servers and clients that run are consistent in themselves. */
  assertInvariants(): void {
    for (const { process, core } of this.servers) if (process !== undefined) core.index.assertInvariants()
  }

  private start(node: TestNode<IndexClient | IndexServer>, hub: boolean): void {
    const servers = this.servers
      .filter((other) => other !== node)
      .map(({ host }) => ({ id: host.id, address: `sim:${host.index}`, epoch: 0 }))
    node.process = this.simulator.start(
      node.host,
      (self) =>
        new KbrNode({
          self,
          overlay: star({ hub }),
          applications: [node.core],
          prng: this.simulator.stream(`node ${self.id} ${self.epoch}`),
          readRef: this.simulator.readRef,
        }),
      (kbr) => kbr.codec,
    )
    this.byProcess.set(node.process, node)
    this.simulator.step(node.process, (now, fx) => node.kbr.start(now, fx))
    this.simulator.step(node.process, (now, fx) => node.kbr.join(servers, now, fx))
  }

  private onEvent(process: Process, event: CentralIndexEvent): void {
    const node = this.byProcess.get(process)
    if (node === undefined) return
    node.events.push(event)
    if (event.type === 'central-index:done') {
      this.outcomes.set(`${process.index} ${event.command}`, event.outcome)
      if (
        event.outcome.ok &&
        event.outcome.value !== undefined &&
        typeof event.outcome.value === 'object' &&
        'bytes' in event.outcome.value
      )
        node.files.set(event.outcome.value.guid, event.outcome.value.bytes)
    }
    if (event.type === 'central-index:read') this.answerRead(node as TestNode<IndexClient>, event)
    if (event.type === 'central-index:message') this.answerMessage(node as TestNode<IndexClient>, event)
  }

  private answerRead(node: TestNode<IndexClient>, event: Extract<CentralIndexEvent, { type: 'central-index:read' }>): void {
    const { read, guid, offset, length } = event
    const bytes = node.serve(event) ?? node.files.get(guid)?.subarray(offset, offset + length) ?? new Error('no such file')
    if (node.process === undefined || bytes === 'silence') return
    this.simulator.step(node.process, (now, fx) =>
      node.kbr.command(node.core, now, fx, (appFx) =>
        bytes instanceof Error ? node.core.deny(read, bytes.message, appFx) : node.core.supply(read, bytes, appFx),
      ),
    )
  }

  /** Every object answers with its host's id. */
  private answerMessage(node: TestNode<IndexClient>, { delivery }: Extract<CentralIndexEvent, { type: 'central-index:message' }>): void {
    if (!node.answersMessages) return
    this.simulator.step(node.process!, (now, fx) =>
      node.kbr.command(node.core, now, fx, (appFx) => node.core.answer(delivery, true, textBytes(node.id), now, appFx)),
    )
  }
}

export function idOf(name: string): Guid {
  return guidOf(textBytes(name))
}

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** So many bytes that follow from a number. */
export function someBytes(size: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 101 + (i >> 8) * 7) & 255)
}
