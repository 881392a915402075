// A process that writes to the store in the folder it is given until it is killed, and says on standard output what has been acknowledged.
import { openStore } from '../src/disk.ts'

const store = await openStore(process.argv[2]!)
for (let round = 0; ; round++) {
  await Promise.all([
    store.write([
      [`small/${round}`, new Uint8Array(100).fill(round)],
      [`last`, Uint8Array.of(round >> 8, round)],
    ]),
    store.write([[`large/${round % 5}`, new Uint8Array(70_000).fill(round)]]),
  ])
  process.stdout.write(`${round}\n`)
}
