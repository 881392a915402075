import { guidOf, shortGuid } from '@plaxton/guid'
import { pastry } from '@plaxton/pastry'
import { MemoryNetwork, NodeHost, memoryStore, randomKey } from '@plaxton/runtime'
import { Ballot } from './ballot.ts'
import type { CountedEvent } from './ballot.ts'

const idOf = (text: string) => guidOf(new TextEncoder().encode(text))

const network = new MemoryNetwork()
const voters: Array<{ host: NodeHost; ballot: Ballot }> = []
for (let i = 0; i < 12; i++) {
  const self = { id: idOf(`voter ${i}`), address: `voter-${i}`, epoch: Date.now() }
  const host = new NodeHost({ overlay: pastry(), link: network.link(self) })
  const ballot = new Ballot()
  host.use(ballot, { store: memoryStore(), key: await randomKey() })
  await host.start()
  await host.join(voters.slice(0, 1).map((first) => first.host.self))
  voters.push({ host, ballot })
}

for (const subject of ['tea', 'coffee']) {
  for (const { host, ballot } of voters) {
    const counted = new Promise<CountedEvent>((resolve) => {
      host.events.addEventListener('ballot:counted', (event) => resolve((event as CustomEvent<CountedEvent>).detail), { once: true })
    })
    host.command(ballot, (_now, fx) => ballot.vote(idOf(subject), fx))
    const { votes } = await counted
    console.log(`${shortGuid(host.self.id)} voted for ${subject}: ${votes} so far`)
  }
}

await Promise.all(voters.map(({ host }) => host.stop()))
