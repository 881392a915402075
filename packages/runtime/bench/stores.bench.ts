import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { openStore } from '../src/disk.ts'
import type { StorePort } from '../src/index.ts'
import { memoryStore } from '../src/index.ts'

/**
 * Microseconds per write and read of one value, 8 at a time and one at a time. On disk a write is acknowledged after a sync, so these figures are the
 * disk's as much as ours. `level` is LevelDB alone with the same sync, for judging from which size a value is better kept in a file.
 */

const sizes: Array<[label: string, size: number, count: number]> = [
  ['1 KiB', 1024, 4000],
  ['64 KiB', 64 * 1024, 800],
  ['1 MiB', 1024 * 1024, 100],
]

const directory = await mkdtemp(join(tmpdir(), 'plaxton-bench-'))
const disk = await openStore(directory)
console.log('                       write, 8    write, 1    read, 8   µs each')
for (const size of sizes) await measure('memory', memoryStore(), ...size)
for (const size of sizes) await measure('disk', disk, ...size)
const level = new ClassicLevel<string, Uint8Array>(join(directory, 'level'), { valueEncoding: 'view', compression: false })
for (const size of sizes) await measure('level', levelAlone(level), ...size)
await disk.close()
await level.close()
await rm(directory, { recursive: true })

/** As much of a store as is measured. */
function levelAlone(level: ClassicLevel<string, Uint8Array>): Pick<StorePort, 'read' | 'write'> {
  return {
    read: (key) => level.get(key),
    write: ([entry]) => level.batch([{ type: 'put', key: entry![0], value: entry![1]! }], { sync: true }),
  }
}

async function measure(name: string, store: Pick<StorePort, 'read' | 'write'>, label: string, size: number, count: number): Promise<void> {
  const value = crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536)))
  const bytes = new Uint8Array(size).map((_, i) => value[i % value.length]!)
  const write = (i: number): Promise<void> => store.write([[`${label}/${i}`, bytes]])
  const grouped = await perCall(count, 8, write)
  const single = await perCall(count / 4, 1, (i) => write(count + i))
  const read = await perCall(count, 8, (i) => store.read(`${label}/${i}`))
  const columns = [grouped, single, read].map((us) => us.toFixed(0).padStart(11)).join(' ')
  console.log(`${name.padEnd(8)}${label.padEnd(10)} ${columns}`)
}

async function perCall(count: number, atOnce: number, call: (i: number) => Promise<unknown>): Promise<number> {
  const started = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return ((performance.now() - started) * 1000) / count
}
