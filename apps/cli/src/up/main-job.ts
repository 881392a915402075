import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { guidFromCid, shortGuid } from '@plaxton/guid'
import { PlaxtonError } from '@plaxton/kbr'
import { formatBytes, formatCount } from '../output/format.ts'
import { eachAtOnce } from '../each-at-once.ts'
import { waitUntil } from './wait-until.ts'
import type { Guid } from '@plaxton/guid'
import type { PlaxtonNode } from '../daemon/plaxton-node.ts'
import type { Input, InputFile } from './input.ts'
import type { LocalNetwork } from './local-network.ts'
import type { Held, StepList } from './step-list.ts'

/** Copies of each block: PAST's default (Rowstron and Druschel, SOSP 2001). */
export const replicas = 5

/** Files stored or read at a time, and blocks asked about. */
const atOnce = 16

/** After a crash, copies must be back within this time, and after a removal they must be gone. */
const repairWithinMs = 60_000
const removalWithinMs = 15_000

/** Between two looks at what is still missing. */
const lookEveryMs = 250

/** A file as it was stored. */
interface StoredFile {
  readonly file: InputFile
  readonly cid: string
  readonly size: number
  /** SHA-256 of its bytes as they were read from disk. */
  readonly digest: string
  readonly blocks: readonly Guid[]
}

/**
 * What `plaxton up` shows: files are stored, nodes die without a word, every byte comes back, the copies are restored, and what is removed is
 * gone. Each step checks what it tells.
 */
export class MainJob {
  private readonly network: LocalNetwork
  private readonly input: Input
  private readonly steps: StepList
  private readonly signal: AbortSignal
  private stored: StoredFile[] = []
  private blocks: Guid[] = []

  constructor(network: LocalNetwork, input: Input, steps: StepList, signal: AbortSignal) {
    this.network = network
    this.input = input
    this.steps = steps
    this.signal = signal
  }

  /** Runs all steps; rejects with `StepFailedError` at the first that does not hold. */
  async run(nodes: number, kill: number): Promise<void> {
    await this.start(nodes)
    await this.store()
    await this.read('read', 'Read all of it back')
    await this.count('count', 'Counted copies', 'each')
    if (kill > 0) {
      await this.kill(kill)
      await this.read('read again', 'Read all of it again')
      await this.count('repair', 'Repaired', 'each again')
    } else {
      await this.skip(
        'kill',
        nodes === 1 ? 'No node is killed: there is no other that could give the files back' : 'No node is killed, as asked',
      )
    }
    await this.remove()
  }

  /** Bytes and files, for the last line. */
  get files(): string {
    return formatCount(this.stored.length, 'file')
  }

  private start(nodes: number): Promise<void> {
    return this.steps.run('start', this.signal, async (show) => {
      const progress = (done: number): void => show({ label: 'starting nodes', done, total: nodes, unit: 'count' })
      await this.network.start(nodes, this.signal, progress)
      await this.until('nodes are not found by all others', repairWithinMs, () => this.network.unsettled(replicas).length)
      const { virtualNodes } = this.network
      const ids = virtualNodes === 1 ? '' : `, ${virtualNodes} virtual nodes each`
      const title =
        nodes === 1 ? 'Started 1 node, a network of its own' : `Started ${nodes} nodes${ids}: one network, each finds every other`
      // Said aloud, because nobody should find out by accident that a limit is not the usual one.
      const limit = nodes > 5 ? ["libp2p's limit of 5 new connections a second from one address is raised"] : []
      return { title, details: [`${this.network.title} and PAST on libp2p: loopback TCP, noise, yamux; a data folder each`, ...limit] }
    })
  }

  private store(): Promise<void> {
    return this.steps.run('store', this.signal, async (show) => {
      const { node, catalog } = this.network.daemon
      const total = this.input.files.reduce((sum, { size }) => sum + size, 0)
      let done = 0
      const stored: StoredFile[] = []
      await eachAtOnce(this.input.files, atOnce, async (file) => {
        const hash = createHash('sha256')
        const files = node.files()
        async function* content(): AsyncGenerator<Uint8Array> {
          for await (const chunk of createReadStream(file.path) as AsyncIterable<Uint8Array>) {
            hash.update(chunk)
            done += chunk.length
            show({ label: 'storing', done, total, unit: 'bytes' })
            yield chunk
          }
        }
        const added = await files.addFile(content(), { signal: this.signal })
        const cid = added.cid.toString()
        const blocks: Guid[] = []
        for await (const block of files.blocks(cid, { signal: this.signal })) blocks.push(guidFromCid(block.toString()))
        await catalog.add({
          guid: guidFromCid(cid),
          cid,
          name: file.name,
          type: 'file',
          size: added.size,
          blocks: added.blocks,
          storedAt: Date.now(),
        })
        stored.push({ file, cid, size: added.size, digest: hash.digest('hex'), blocks })
      })
      this.stored = stored.toSorted((a, b) => (a.file.name < b.file.name ? -1 : 1))
      this.blocks = [...new Set(this.stored.flatMap(({ blocks }) => blocks))]
      const bytes = this.stored.reduce((sum, { size }) => sum + size, 0)
      return {
        title: `Stored ${this.files}, ${formatBytes(bytes)} in ${formatCount(this.blocks.length, 'block')}`,
        details: [
          `${this.input.what}, put through one node; ${this.wanted === 1 ? 'durable there' : `durable on most of ${this.wanted} nodes each`}`,
        ],
      }
    })
  }

  private read(name: string, title: string): Promise<void> {
    return this.steps.run(name, this.signal, async (show) => {
      const others = this.network.living.filter((node) => node !== this.network.daemon.node)
      const readers = others.length === 0 ? [this.network.daemon.node] : others
      let done = 0
      await eachAtOnce(this.stored.entries(), atOnce, async ([index, stored]) => {
        await this.checkBack(stored, readers[index % readers.length]!)
        show({ label: 'reading', done: ++done, total: this.stored.length, unit: 'count' })
      })
      const bytes = this.stored.reduce((sum, { size }) => sum + size, 0)
      const through = others.length === 0 ? 'the only node there is' : formatCount(readers.length, 'other node')
      return { title: `${title}: ${this.files}, every SHA-256 equal`, details: [`${formatBytes(bytes)} through ${through}`] }
    })
  }

  private async checkBack({ file, cid, digest, size }: StoredFile, reader: PlaxtonNode): Promise<void> {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of reader.files().readFile(cid, { signal: this.signal })) {
      hash.update(chunk)
      bytes += chunk.length
    }
    if (bytes !== size || hash.digest('hex') !== digest) throw new Error(`${file.name} came back as other bytes through ${nameOf(reader)}`)
  }

  /** Waits until every block has all its copies. */
  private count(name: string, title: string, each: string): Promise<void> {
    return this.steps.run(name, this.signal, async (show) => {
      const total = this.blocks.length
      const firstCounts = new Map<Guid, number>()
      let missing = [...this.blocks]
      await this.until('blocks lack copies', repairWithinMs, async () => {
        const still: Guid[] = []
        let asked = 0
        await eachAtOnce(missing, atOnce, async (guid) => {
          const copies = await this.copiesOf(guid)
          if (copies !== undefined && !firstCounts.has(guid)) firstCounts.set(guid, copies)
          if (copies === undefined || copies < this.wanted) still.push(guid)
          asked++
          show({ label: 'counting copies', done: total - (missing.length - asked) - still.length, total, unit: 'count' })
        })
        missing = still
        return missing.length
      })
      const lacking = [...firstCounts.values()].filter((copies) => copies < this.wanted)
      const fewest = formatCount(Math.min(...lacking), 'copy', 'copies')
      const restored =
        lacking.length === 0 ? [] : [`${formatCount(lacking.length, 'block')} had fewer when first asked, the scarcest ${fewest}`]
      return {
        title: `${title}: ${formatCount(this.blocks.length, 'block')}, ${each} on ${formatCount(this.wanted, 'node')}`,
        details: restored,
      }
    })
  }

  /** Live copies of a block; undefined when the network is too busy with its dead to say, and is to be asked again. */
  private async copiesOf(guid: Guid): Promise<number | undefined> {
    try {
      return (await this.network.daemon.node.past.inspect(guid, { signal: this.signal })).holders.length
    } catch (error) {
      if (error instanceof PlaxtonError) return undefined
      throw error
    }
  }

  /** Kills the holders of one block, as many as may die: the worst that can happen to it. */
  private kill(count: number): Promise<void> {
    return this.steps.run('kill', this.signal, async () => {
      const { node } = this.network.daemon
      const victims = new Set<PlaxtonNode>()
      const others = this.network.living.filter((each) => each !== node)
      const byId = new Map(others.flatMap((each) => each.overlay.nodes.map(({ self }) => [self.id, each] as const)))
      let scarce: string | undefined
      for (const { file, blocks } of this.stored) {
        if (victims.size >= count) break
        const { holders } = await node.past.inspect(blocks[0]!, { signal: this.signal })
        scarce ??= file.name
        for (const { id } of holders) if (victims.size < count && byId.has(id)) victims.add(byId.get(id)!)
      }
      const held = this.wanted
      const names = [...victims].map(nameOf).join(', ')
      const copies = [...victims].reduce((sum, victim) => sum + victim.past.stats().objects, 0)
      await this.network.kill([...victims])
      return {
        title: `Killed ${formatCount(victims.size, 'node')} without warning: ${formatCount(copies, 'copy', 'copies')} lost with ${victims.size === 1 ? 'it' : 'them'}`,
        details: [`${names}: ${victims.size} of the ${held} that held ${scarce}`],
      }
    })
  }

  private remove(): Promise<void> {
    return this.steps.run('remove', this.signal, async (show) => {
      const victim = this.unshared()
      if (victim === undefined) return { title: 'No file is removed: each shares its bytes with another', skipped: true }
      const { node, catalog } = this.network.daemon
      const { file, cid, blocks } = victim
      const before = await this.storesWith(blocks)
      if (before === 0) throw new Error(`no store holds ${file.name} before it is removed`)

      await node.files().removeTree(cid, { signal: this.signal })
      await catalog.remove(guidFromCid(cid))
      await this.until(`stores still hold ${file.name}`, removalWithinMs, () => this.storesWith(blocks))
      let asked = 0
      await eachAtOnce(this.network.living, atOnce, async (each) => {
        await this.checkGone(victim, each)
        show({ label: 'asking every node', done: ++asked, total: this.network.living.length, unit: 'count' })
      })
      this.stored = this.stored.filter((each) => each !== victim)
      return {
        title: `Removed ${file.name}: it is gone from every node`,
        details: [`${formatCount(asked, 'node')} asked, none finds it; ${formatCount(before, 'disk')} held it before, none does now`],
      }
    })
  }

  private async checkGone({ file, blocks }: StoredFile, node: PlaxtonNode): Promise<void> {
    for (const guid of blocks) {
      try {
        await node.past.get(guid, { signal: this.signal })
      } catch (error) {
        if (error instanceof PlaxtonError && error.code === 'ERR_NOT_FOUND') continue
        throw error
      }
      throw new Error(`${nameOf(node)} still finds ${file.name}`)
    }
  }

  /** Living nodes whose disk has the bytes of one of `blocks`, looked for below PAST, where it keeps data: `past/d/` and the guid. */
  private async storesWith(blocks: readonly Guid[]): Promise<number> {
    const holding = await Promise.all(
      this.network.living.map(async ({ directory, overlay }) => {
        const stores = overlay.nodes.map((_, index) => (index === 0 ? '' : `virtual-node-${index}/`))
        const found = await Promise.all(stores.flatMap((store) => blocks.map((guid) => directory.store.read(`${store}past/d/${guid}`))))
        return found.some((bytes) => bytes !== undefined)
      }),
    )
    return holding.filter(Boolean).length
  }

  /** A file no other shares a block with; a README if there is one, for everybody knows it. */
  private unshared(): StoredFile | undefined {
    const uses = new Map<Guid, number>()
    for (const guid of this.stored.flatMap(({ blocks }) => [...new Set(blocks)])) uses.set(guid, (uses.get(guid) ?? 0) + 1)
    const alone = this.stored.filter(({ blocks }) => blocks.every((guid) => uses.get(guid) === 1))
    return alone.find(({ file }) => /^readme/i.test(file.name)) ?? alone[0]
  }

  private skip(name: string, title: string): Promise<void> {
    return this.steps.run(name, this.signal, async (): Promise<Held> => ({ title, skipped: true }))
  }

  /** Copies that every block should have now: all there can be in a small network. */
  private get wanted(): number {
    return Math.min(replicas, this.network.living.length)
  }

  private until(complaint: string, withinMs: number, missing: () => number | Promise<number>): Promise<void> {
    return waitUntil({ complaint, withinMs, everyMs: lookEveryMs, missing, signal: this.signal })
  }
}

function nameOf(node: PlaxtonNode): string {
  return shortGuid(node.overlay.self.id)
}
