import { guidOf } from '@plaxton/guid'
import { DolrNode } from '@plaxton/dolr'
import { pastry } from '@plaxton/pastry'
import { Simulation } from './src/index.ts'
const N = Number(process.argv[2] ?? 50)
const sim = new Simulation({
  seed: 1,
  nodes: N,
  overlay: pastry(),
  encode: true,
  applications: (_, prng) => [new DolrNode({}, prng)],
  assertEvery: 100,
})
console.log('joined', sim.joinAll({ gapMs: 500 }))
const done = new Map<string, unknown>()
sim.onEvent((node, event: any, now) => {
  if (event.type === 'dolr:message')
    sim.command(node, node.application('dolr'), (fx, now) =>
      (node.application('dolr') as DolrNode).answer(event.delivery, true, new TextEncoder().encode('from ' + node.host.index), now, fx),
    )
  if (event.type === 'dolr:done') done.set(`${node.host.index}/${event.command}`, event.outcome)
  if (event.type === 'dolr:reply') console.log(now, node.host.index, 'reply', new TextDecoder().decode(event.payload))
  if (event.type === 'dolr:progress' || event.type === 'dolr:garbage')
    console.log(now, node.host.index, event.step, event.detail ?? event.reason)
  if (event.type === 'route-failed') console.log(now, node.host.index, event)
})
const guid = guidOf(new TextEncoder().encode('x'))
const cmd = (i: number, f: (d: DolrNode, now: number, fx: any) => number) => {
  const node = sim.nodes[i]!
  const d = node.application('dolr') as DolrNode
  return sim.command(node, d, (fx, now) => f(d, now, fx))
}
sim.run(5000)
cmd(3, (d, now, fx) => d.publish({ guid, answers: true }, now, fx))
cmd(7, (d, now, fx) => d.publish({ guid, answers: true }, now, fx))
sim.run(3000)
cmd(11, (d, now, fx) => d.send({ guid, message: new Uint8Array(10) }, now, fx))
sim.run(3000)
cmd(12, (d, now, fx) => d.send({ guid, message: new Uint8Array(10), n: 5 }, now, fx))
sim.run(3000)
cmd(3, (d, now, fx) => d.unpublish({ guid }, now, fx))
sim.run(3000)
cmd(12, (d, now, fx) => d.locate({ guid, n: 5 }, now, fx))
sim.run(3000)
sim.crash(sim.nodes[7]!)
cmd(12, (d, now, fx) => d.send({ guid, message: new Uint8Array(10), n: 5 }, now, fx))
sim.run(20000)
console.log([...done])
console.log(
  sim.nodes
    .filter((n) => n.running)
    .map((n) => (n.application('dolr') as DolrNode).stats().pointers)
    .join(' '),
)
