import { isDeepStrictEqual } from 'node:util'
import { concurrencies, deadShares } from './figures.ts'
import { Samples } from './samples.ts'
import { callMs } from './system.ts'
import type { Prng } from '@plaxton/kbr'
import type { Figures } from './figures.ts'
import type { Key, Network, System } from './system.ts'

/** How much of everything. */
export interface Amount {
  readonly nodes: number
  /** Objects put one after the other, and calls of each other kind. */
  readonly calls: number
  /** The longest that one kind of call goes on: slow systems make fewer of them. */
  readonly phaseMs: number
  /** How long each rate is measured. */
  readonly rateMs: number
  /** How long nothing is done, to see what rest costs. */
  readonly restMs: number
}

interface StoredObject {
  readonly key: Key
  readonly value: Uint8Array
}

/** Bytes of a value: what the surveys of peers put, and below the 1,000 that BitTorrent allows. */
const valueBytes = 100

/** Nodes that must read what node 0 has put before the network counts as settled. */
const settledReaders = 5

/** The longest wait for that. */
const settleLimitMs = 60_000

/** The same work for every system: sizes, sources and order come from the seed alone. */
export class Workload {
  private readonly system: System
  private readonly amount: Amount
  private readonly prng: Prng
  private readonly taken: Record<string, number> = {}
  private readonly complaints: string[] = []
  private readonly objects: StoredObject[] = []
  private network!: Network
  private alive: number[] = []
  /** Bytes. */
  private memoryBefore = 0

  constructor(system: System, amount: Amount, prng: Prng) {
    this.system = system
    this.amount = amount
    this.prng = prng
  }

  get figures(): Figures {
    return this.taken
  }

  get errors(): readonly string[] {
    return this.complaints
  }

  async run(): Promise<void> {
    await this.startUp()
    await this.rest()
    await this.calls('put', () => this.putSomewhere())
    await this.calls('get', (i) => this.readSomewhere(this.objects[i % this.objects.length]!))
    await this.findProviders()
    for (const atOnce of concurrencies) {
      await this.rate(`puts${atOnce}`, atOnce, () => this.putSomewhere())
      await this.rate(`gets${atOnce}`, atOnce, () => this.readSomewhere(this.prng.pick(this.objects)!))
    }
    this.taken['rssAfter'] = this.memory()
    this.taken['connections'] = this.network.connections()
    await this.addNode()
    for (const share of deadShares) await this.killAndRead(share)
  }

  private async startUp(): Promise<void> {
    const { nodes } = this.amount
    this.memoryBefore = resident()
    const started = performance.now()
    this.network = await this.system.start(nodes, this.prng.fork())
    this.alive = Array.from({ length: nodes }, (_, at) => at)
    this.taken['joined'] = performance.now() - started
    while (!(await this.isSettled())) {
      if (performance.now() - started > settleLimitMs) throw new Error(`not settled within ${settleLimitMs} ms`)
      await sleep(20)
    }
    this.taken['settled'] = performance.now() - started
  }

  /** What fails here has come too early; it is tried again. */
  private async isSettled(): Promise<boolean> {
    const value = this.newValue()
    const readers = this.prng.shuffle(this.alive.slice(1)).slice(0, settledReaders)
    try {
      const key = await this.network.put(0, value)
      const reads = await Promise.all(readers.map((reader) => this.network.get(reader, key)))
      return reads.every((read) => read !== undefined && isSame(read, value))
    } catch {
      return false
    }
  }

  private async rest(): Promise<void> {
    const { restMs, nodes } = this.amount
    await sleep(restMs)
    this.taken['rss'] = this.memory()
    const before = process.cpuUsage()
    const started = performance.now()
    await sleep(restMs)
    const { user, system } = process.cpuUsage(before)
    this.taken['idle'] = (100 * (user + system)) / 1000 / (performance.now() - started) / nodes
  }

  /** One after the other, `amount.calls` of them or as many as the time allows. */
  private async calls(name: string, call: (i: number) => Promise<boolean>, of = this.amount.calls): Promise<void> {
    const samples = new Samples()
    const end = performance.now() + this.amount.phaseMs
    for (let i = 0; i < of && performance.now() < end; i++) await samples.take(() => call(i))
    Object.assign(this.taken, samples.figures(name))
    this.complain(name, samples.errors)
  }

  private async findProviders(): Promise<void> {
    const topics: Uint8Array[] = []
    await this.calls('provide', async () => {
      const topic = this.bytes(32)
      await this.network.provide(this.anyNode(), topic)
      topics.push(topic)
      return true
    })
    if (topics.length > 0) await this.calls('find', (i) => this.network.find(this.anyNode(), topics[i % topics.length]!), topics.length)
  }

  private async rate(name: string, atOnce: number, call: () => Promise<boolean>): Promise<void> {
    const started = performance.now()
    const end = started + this.amount.rateMs
    let done = 0
    const worker = async (): Promise<void> => {
      while (performance.now() < end) {
        try {
          if (await call()) done++
          else this.complain(name, ['not found'])
        } catch (error) {
          this.complain(name, [String(error)])
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    this.taken[name] = (1000 * done) / (performance.now() - started)
  }

  /** What a user waits for who starts a program that reads something. */
  private async addNode(): Promise<void> {
    const started = performance.now()
    const at = await this.network.add()
    while (!(await this.read(at, this.objects[0]!).catch(() => false))) {
      if (performance.now() - started > callMs) return this.complain('added', [`no get was answered within ${callMs} ms`])
      await sleep(5)
    }
    this.alive.push(at)
    this.taken['added'] = performance.now() - started
  }

  /** Reads begin at the moment at which the last of the nodes has been ended. */
  private async killAndRead(share: number): Promise<void> {
    const survivors = Math.round(this.amount.nodes * (1 - share))
    const dying = this.prng.shuffle([...this.alive]).slice(survivors)
    this.alive = this.alive.filter((at) => !dying.includes(at))
    await Promise.all(dying.map((at) => this.network.kill(at)))
    const some = this.objects.slice(0, this.amount.calls)
    await this.calls(`dead${100 * share}`, (i) => this.readSomewhere(some[i]!), some.length)
  }

  private async putSomewhere(): Promise<boolean> {
    const value = this.newValue()
    const key = await this.network.put(this.anyNode(), value)
    this.objects.push({ key, value })
    return true
  }

  private readSomewhere(object: StoredObject): Promise<boolean> {
    return this.read(this.anyNode(), object)
  }

  private async read(at: number, { key, value }: StoredObject): Promise<boolean> {
    const found = await this.network.get(at, key)
    if (found === undefined) return false
    if (!isSame(found, value)) throw new Error('read something else than was put')
    return true
  }

  private anyNode(): number {
    return this.prng.pick(this.alive)!
  }

  private newValue(): Uint8Array {
    return this.bytes(valueBytes)
  }

  private bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.prng.nextInt(256))
  }

  /** MiB per node. */
  private memory(): number {
    return (resident() - this.memoryBefore) / 2 ** 20 / this.amount.nodes
  }

  private complain(phase: string, errors: readonly string[]): void {
    for (const error of errors) if (this.complaints.length < 10) this.complaints.push(`${phase}: ${error}`)
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return isDeepStrictEqual(Buffer.from(a), Buffer.from(b))
}

/** Bytes of this process after a collection of garbage. */
function resident(): number {
  if (globalThis.gc === undefined) throw new Error('memory is measured after a collection: run node with --expose-gc')
  globalThis.gc()
  return process.memoryUsage.rss()
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
