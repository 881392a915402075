import { guidOf } from '@plaxton/guid'
import { DolrNode } from '@plaxton/dolr'
import { pastry } from '@plaxton/pastry'
import { Prng } from '@plaxton/kbr'
import { Simulation } from './src/index.ts'
const N = Number(process.argv[2] ?? 400),
  objects = Number(process.argv[3] ?? 50),
  sends = Number(process.argv[4] ?? 500)
const cfg = JSON.parse(process.argv[5] ?? '{}')
const sim = new Simulation({
  seed: 1,
  nodes: N,
  overlay: pastry(),
  applications: (_, prng) => [new DolrNode({ republishMs: 600000, ttlMs: 2000000, ...cfg }, prng)],
})
const t0 = Date.now()
console.log('joined', sim.joinAll({ gapMs: 200 }), Date.now() - t0)
const prng = Prng.fromSeed('w')
const replies = new Map<string, number>()
const started = new Map<string, number>(),
  took: number[] = []
let fails = 0
sim.onEvent((node, event: any, now) => {
  const d = node.applications[0] as DolrNode
  if (event.type === 'dolr:message')
    sim.command(node, d, (fx, now) => d.answer(event.delivery, true, new TextEncoder().encode(String(node.host.index)), now, fx))
  if (event.type === 'dolr:reply') {
    const k = `${node.host.index}/${event.command}`
    replies.set(k, Number(new TextDecoder().decode(event.payload)))
    took.push(now - started.get(k)!)
  }
  if (event.type === 'dolr:done' && !event.outcome.ok) {
    fails++
    if (fails < 5) console.log(event.outcome.error.message)
  }
})
const cmd = (i: number, f: (d: DolrNode, now: number, fx: any) => number) => {
  const node = sim.nodes[i]!
  const d = node.applications[0] as DolrNode
  return sim.command(node, d, (fx, now) => f(d, now, fx))
}
sim.run(20000)
const hosts: number[][] = []
for (let o = 0; o < objects; o++) {
  const guid = guidOf(new TextEncoder().encode(`o${o}`))
  const hs = prng.shuffle(sim.nodes.map((n) => n.host.index)).slice(0, 4)
  hosts.push(hs)
  for (const h of hs) cmd(h, (d, now, fx) => d.publish({ guid, answers: true }, now, fx))
  sim.run(500)
}
sim.run(10000)
let nearest = 0,
  two = 0,
  n = 0
const pend: [string, number, number][] = []
let rdp = 0
for (let s = 0; s < sends; s++) {
  const o = prng.nextInt(objects),
    from = prng.nextInt(N)
  const guid = guidOf(new TextEncoder().encode(`o${o}`))
  const id = cmd(from, (d, now, fx) => d.send({ guid, message: new Uint8Array(10) }, now, fx))
  started.set(`${from}/${id}`, sim.now)
  if (replies.has(`${from}/${id}`)) (took.pop(), took.push(0))
  pend.push([`${from}/${id}`, o, from])
  sim.run(20)
}
sim.run(15000)
for (const [k, o, from] of pend) {
  const got = replies.get(k)
  if (got === undefined) continue
  const order = [...hosts[o]!].sort((a, b) => sim.simulator.topology.latencyMs(from, a) - sim.simulator.topology.latencyMs(from, b))
  n++
  if (got === order[0]) nearest++
  if (got === order[0] || got === order[1]) two++
}
took.sort((a, b) => a - b)
console.log(
  { n, nearest: nearest / n, two: two / n, fails, median: took[took.length >> 1], p90: took[Math.floor(took.length * 0.9)] },
  Date.now() - t0,
)
