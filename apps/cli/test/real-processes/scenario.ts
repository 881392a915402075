import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '@plaxton/kbr'
import { callDaemon } from '../../src/control/client.ts'
import { eachAtOnce } from '../../src/each-at-once.ts'
import { DaemonProcess, plaxton } from '../support/plaxton-process.ts'
import type { PutResult } from '../../src/control/protocol.ts'

/** How hard it is to be. */
export interface ScenarioInit {
  readonly overlay: string
  readonly daemons: number
  readonly files: number
  readonly minBytes: number
  readonly maxBytes: number
  /** Daemons killed one after the other, while files are being put and afterwards. */
  readonly kills: number
  readonly killEveryMs: number
  /** A killed daemon comes back on its data folder after this time. */
  readonly restartAfterMs: number
  readonly seed: string
  readonly folder: string
  readonly say: (line: string) => void
}

/** A file whose put was acknowledged. */
interface Acknowledged {
  readonly name: string
  readonly guid: string
  readonly size: number
  readonly digest: string
}

/** What came of it. Every count of `lost` and `wrong` is a failure. */
export interface ScenarioResult {
  readonly acknowledged: number
  readonly bytes: number
  /** Puts that were answered with an error, and given to another daemon. */
  readonly putsRefused: number
  readonly reads: number
  /** Reads that ended with an error and were asked for again; other bytes are a failure at once. */
  readonly readsRepeated: number
  /** One line for each read that failed or gave other bytes. */
  readonly failures: readonly string[]
  readonly phases: ReadonlyArray<readonly [name: string, ms: number]>
}

/** Files put, and read, at a time. */
const atOnce = 4

/** A restarted daemon must be a member within this time. */
const readyWithinMs = 60_000

/** A file must come back within this time, however often it is asked for: while the network repairs itself some reads end with an error. */
const readWithinMs = 60_000

/** Before a put or a read is tried again. */
const pauseMs = 250

/**
 * Real processes: files are put through random daemons while others are killed with SIGKILL and come back on their data folders; then all
 * are killed at once and come back; then every daemon must give back every acknowledged file byte for byte. Ends all processes it started.
 */
export class Scenario {
  private readonly init: ScenarioInit
  private readonly prng: Prng
  private readonly daemons: DaemonProcess[] = []
  private readonly acknowledged: Acknowledged[] = []
  private readonly phases: Array<readonly [string, number]> = []
  private putsRefused = 0
  private readsRepeated = 0
  private ended = false

  constructor(init: ScenarioInit) {
    this.init = init
    this.prng = Prng.fromSeed(init.seed)
  }

  async run(): Promise<ScenarioResult> {
    try {
      await this.phase(`start ${this.init.daemons} daemons`, () => this.startAll())
      await this.phase(`put ${this.init.files} files, kill ${this.init.kills} daemons`, () => Promise.all([this.putAll(), this.killSome()]))
      await this.phase('kill all and start them again', () => this.restartAll())
      const failures: string[] = []
      await this.phase('read every file from every daemon', () => this.readAll(failures))
      const { length: acknowledged } = this.acknowledged
      const bytes = this.acknowledged.reduce((sum, { size }) => sum + size, 0)
      return {
        acknowledged,
        bytes,
        putsRefused: this.putsRefused,
        reads: acknowledged * this.daemons.length,
        readsRepeated: this.readsRepeated,
        failures,
        phases: this.phases,
      }
    } finally {
      this.ended = true
      await Promise.all(this.daemons.map((daemon) => daemon.end('SIGKILL')))
    }
  }

  private async phase(name: string, run: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    await run()
    const ms = Math.round(performance.now() - startedAt)
    this.phases.push([name, ms])
    this.init.say(`${name}: ${(ms / 1000).toFixed(1)} s`)
  }

  private async startAll(): Promise<void> {
    const { daemons, folder, overlay } = this.init
    const first = new DaemonProcess(join(folder, 'd00'), ['--overlay', overlay])
    this.daemons.push(first)
    const { multiaddrs } = await first.start(readyWithinMs)
    const numbers = Array.from({ length: daemons - 1 }, (_, index) => index + 1)
    await eachAtOnce(numbers, 3, async (number) => {
      const args = ['--overlay', overlay, '--bootstrap', multiaddrs[0]!]
      const daemon = new DaemonProcess(join(folder, `d${String(number).padStart(2, '0')}`), args)
      this.daemons.push(daemon)
      await daemon.start(readyWithinMs)
    })
  }

  private async putAll(): Promise<void> {
    const numbers = Array.from({ length: this.init.files }, (_, index) => index)
    let done = 0
    await eachAtOnce(numbers, atOnce, async (number) => {
      await this.put(number)
      if (++done % 20 === 0) this.init.say(`  ${done} of ${this.init.files} files are put`)
    })
  }

  /** Puts one file through random daemons until one of them acknowledges it. */
  private async put(number: number): Promise<void> {
    const content = this.contentOf(number)
    for (let attempt = 0; attempt < 20; attempt++) {
      const daemon = this.anyReady()
      const { status, stdout, stderr } = await plaxton(['put', '-', '--json', '--name', `file-${number}`, '--control', daemon.control], {
        stdin: content,
        timeoutMs: 120_000,
      })
      if (status === 0) {
        const { guid } = JSON.parse(stdout) as PutResult
        this.acknowledged.push({ name: `file-${number}`, guid, size: content.length, digest: digestOf(content) })
        return
      }
      this.putsRefused++
      this.init.say(`  put of file ${number} through ${daemon.data}: status ${status}, ${stderr.trim()}`)
      await delay(pauseMs)
    }
    throw new Error(`no daemon takes file ${number}`)
  }

  /** Sizes are spread evenly over their magnitudes, the smallest and the largest among them. */
  private contentOf(number: number): Uint8Array {
    const { minBytes, maxBytes, seed, files } = this.init
    const prng = Prng.fromSeed(`${seed} file ${number}`)
    const share = number === 0 ? 0 : number === files - 1 ? 1 : prng.nextUint32() / 2 ** 32
    const size = Math.round(minBytes * (maxBytes / minBytes) ** share)
    const words = new Uint32Array(Math.ceil(size / 4)).map(() => prng.nextUint32())
    return new Uint8Array(words.buffer, 0, size)
  }

  private async killSome(): Promise<void> {
    const restarts: Array<Promise<void>> = []
    const victims = new Set<DaemonProcess>()
    while (victims.size < this.init.kills && !this.ended) {
      await delay(this.init.killEveryMs)
      const victim = this.anyOf(this.daemons.filter((daemon) => !victims.has(daemon)))
      victims.add(victim)
      await victim.end('SIGKILL')
      this.init.say(`  kill -9 of ${victim.data}`)
      restarts.push(
        delay(this.init.restartAfterMs).then(async () => {
          await victim.start(readyWithinMs)
          this.init.say(`  ${victim.data} is back`)
        }),
      )
    }
    await Promise.all(restarts)
  }

  private async restartAll(): Promise<void> {
    await Promise.all(this.daemons.map((daemon) => daemon.end('SIGKILL')))
    const startedAt = performance.now()
    await Promise.all(this.daemons.map((daemon) => daemon.start(readyWithinMs)))
    this.init.say(`  all are members again after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }

  private async readAll(failures: string[]): Promise<void> {
    for (const daemon of this.daemons) {
      const startedAt = performance.now()
      await eachAtOnce(this.acknowledged, atOnce, async (file) => {
        const failure = await this.readInTime(file, daemon)
        if (failure === undefined) return
        failures.push(failure)
        this.init.say(`  ${failure}`)
      })
      this.init.say(`  ${daemon.data} gave ${this.acknowledged.length} files in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    }
  }

  /** Reads until the file comes back; says what is wrong when it does not in time. */
  private async readInTime(file: Acknowledged, daemon: DaemonProcess): Promise<string | undefined> {
    const signal = AbortSignal.timeout(readWithinMs)
    for (;;) {
      try {
        return await this.read(file, daemon, signal)
      } catch (error) {
        const failure = `${file.name} (${file.size} bytes) through ${daemon.data}: ${(error as Error).message}`
        if (signal.aborted) return failure
        this.readsRepeated++
        this.init.say(`  to be repeated: ${failure}`)
        await delay(pauseMs)
      }
    }
  }

  /** What is wrong with the bytes; undefined when nothing is. */
  private async read({ name, guid, size, digest }: Acknowledged, daemon: DaemonProcess, signal: AbortSignal): Promise<string | undefined> {
    const hash = createHash('sha256')
    let bytes = 0
    await callDaemon({
      path: daemon.control,
      command: 'get',
      arguments: { root: guid },
      signal,
      onFrame: ({ body }) => {
        if (body === undefined) return
        hash.update(body)
        bytes += body.length
      },
    })
    return bytes === size && hash.digest('hex') === digest
      ? undefined
      : `${name} through ${daemon.data}: ${bytes} bytes instead of ${size}, or other ones`
  }

  private anyReady(): DaemonProcess {
    return this.anyOf(this.daemons.filter((daemon) => daemon.isReady))
  }

  private anyOf(daemons: readonly DaemonProcess[]): DaemonProcess {
    const daemon = daemons[this.prng.nextUint32() % daemons.length]
    if (daemon === undefined) throw new Error('no daemon is ready')
    return daemon
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
