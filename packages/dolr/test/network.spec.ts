import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { DolrConfig } from '../src/config.ts'
import { Network } from './network.ts'
import type { Member } from './network.ts'
import { bytesOf } from './script.ts'

const object = guidOf(bytesOf('object'))

/** A network at rest. */
function networkOf(count: number, seed: number, config: Partial<DolrConfig> = {}): { network: Network; nodes: Member[] } {
  const network = new Network(seed, config)
  const nodes = network.grow(count)
  network.run(5_000)
  return { network, nodes }
}

describe('DOLR on Pastry', function () {
  this.timeout(30_000)

  for (const count of [1, 2, 3, 12]) {
    it(`finds an object from every one of ${count} nodes, whoever hosts it`, () => {
      const { network, nodes } = networkOf(count, count)
      const host = nodes[count >> 1]!
      assert.equal(host.host(object).ok, true)
      for (const node of nodes) assert.deepEqual(node.send(object), [`${host.name}: hello`])
      for (const node of nodes) assert.deepEqual(node.locate(object), [host.name])
      assert.equal(host.unpublish(object).ok, true)
      network.run(1_000)
      assert.deepEqual(
        nodes.map((node) => node.pointers(object)),
        nodes.map(() => []),
      )
      for (const node of nodes)
        assert.match(node.send(object)[0]!, /^NotFoundError: no host of .* was found: the root .* knows no host; the root/)
    })
  }

  it('finds an object when its host is its own root', () => {
    const { network, nodes } = networkOf(8, 8)
    network.root(object).host(object)
    for (const node of nodes) assert.deepEqual(node.send(object), [`${network.root(object).name}: hello`])
  })

  it('takes a host for the nearest to itself', () => {
    const { nodes } = networkOf(8, 9)
    for (const node of nodes) node.host(object)
    for (const node of nodes) assert.deepEqual(node.send(object), [`${node.name}: hello`])
  })

  it('brings a message to the nearest of several hosts, nearly always', () => {
    const { nodes } = networkOf(40, 10)
    const hosts = nodes.slice(0, 4)
    for (const host of hosts) host.host(object)
    const senders = nodes.slice(4)
    const nearest = senders.filter((sender) => {
      const byDistance = hosts.toSorted((a, b) => sender.latencyTo(a) - sender.latencyTo(b))
      return sender.send(object)[0]!.startsWith(`${byDistance[0]!.name}:`)
    })
    assert.ok(nearest.length >= 0.8 * senders.length, `${nearest.length} of ${senders.length}`)
  })

  it('brings a message to n different hosts, to no more, and to fewer when there are fewer', () => {
    const { nodes } = networkOf(20, 11)
    const hosts = nodes.slice(0, 5)
    for (const host of hosts) host.host(object)
    for (const n of [1, 2, 3, 5, 9]) {
      const replies = nodes[19]!.send(object, `to ${n}`, { n })
      assert.equal(new Set(replies).size, Math.min(n, 5))
      assert.equal(hosts.filter(({ handled }) => handled.includes(`to ${n}`)).length, Math.min(n, 5))
    }
  })

  it('does not take a host for dead that is farther away than a ping usually takes', () => {
    const { network, nodes } = networkOf(12, 7, { pingMs: 70 })
    const [living, dead] = [nodes[3]!, nodes[4]!]
    for (const host of [living, dead]) host.host(object)
    dead.crash()
    // The search for a second host rules out the first, and so every node on the way looks whether it lives.
    for (const node of network.living()) assert.deepEqual(node.send(object, 'hello', { n: 2 }), [`${living.name}: hello`])
    network.run(5_000)
    const dropped = network.living().flatMap(({ events }) => events.filter(({ type }) => type === 'dolr:dropped-host'))
    assert.ok(dropped.length > 0)
    for (const event of dropped) assert.equal((event as unknown as { host: { id: string } }).host.id, dead.ref.id)
  })

  it('goes on to the next host when the nearest is dead, and drops the pointers to it', () => {
    const { network, nodes } = networkOf(20, 12)
    const sender = nodes[19]!
    const hosts = nodes.slice(0, 3)
    for (const host of hosts) host.host(object)
    while (hosts.length > 0) {
      const name = sender.send(object)[0]!.split(':')[0]!
      const at = hosts.findIndex((host) => host.name === name)
      assert.ok(at >= 0, name)
      hosts.splice(at, 1)[0]!.crash()
    }
    assert.match(sender.send(object)[0]!, /^(NotFound|Deadline)Error/)
    network.run(60_000)
    assert.deepEqual(
      network.living().flatMap((node) => node.pointers(object)),
      [],
    )
    const dropped = network.living().flatMap(({ events }) => events.filter(({ type }) => type === 'dolr:dropped-host'))
    assert.ok(dropped.length > 0)
  })

  it('asks the other root too when one knows fewer hosts than are wanted', () => {
    const { network, nodes } = networkOf(24, 14)
    const roots = [network.root(object, 0), network.root(object, 1)]
    const [sender, ...hosts] = nodes.filter((node) => !roots.includes(node)).slice(0, 4)
    for (const host of hosts) host.host(object)
    // As if the way of one record to this root had just changed.
    for (const node of nodes) if (node !== hosts[0] && node !== roots[1]) node.forget(object, hosts[0]!)
    assert.deepEqual(sender!.send(object, 'hello', { n: 5 }).toSorted(), hosts.map(({ name }) => `${name}: hello`).toSorted())
    assert.deepEqual(sender!.locate(object, 5).toSorted(), hosts.map(({ name }) => name).toSorted())
  })

  it('asks through another root when one has died with its pointers', () => {
    const { network, nodes } = networkOf(24, 13)
    const host = nodes.find((node) => node !== network.root(object, 0) && node !== network.root(object, 1))!
    host.host(object)
    network.root(object, 0).crash()
    for (const node of network.living()) assert.deepEqual(node.send(object), [`${host.name}: hello`])
  })

  it('has pointers on every way again after a republication', () => {
    const { network, nodes } = networkOf(24, 14)
    const host = nodes.find((node) => node !== network.root(object, 0) && node !== network.root(object, 1))!
    host.host(object)
    network.root(object, 0).crash()
    network.root(object, 1).crash()
    network.run(70_000)
    for (const salt of [0, 1]) assert.deepEqual(network.root(object, salt).pointers(object), [host.name])
  })

  it('moves the pointers when a new node becomes the root, long before they are republished', () => {
    for (let seed = 0; seed < 5; seed++) {
      const { network, nodes } = networkOf(8, 20 + seed, { republishMs: 190_000 })
      nodes[0]!.host(object)
      // A new root of one key or the other, after as many joins as it takes.
      const roots = [network.root(object, 0), network.root(object, 1)]
      for (let i = 0; i < 40 && roots.every((root, salt) => root === network.root(object, salt)); i++) network.add(`late ${i}`)
      network.run(3_000)
      for (const salt of [0, 1]) assert.deepEqual(network.root(object, salt).pointers(object), ['node 0'])
    }
  })

  it('leaves no pointers behind on ways that changed, once they are quiet', () => {
    const { network, nodes } = networkOf(12, 30, { republishMs: 190_000 })
    nodes[0]!.host(object)
    for (let i = 0; i < 20; i++) network.add(`late ${i}`)
    network.run(10_000)
    const withPointers = network.living().filter((node) => node.pointers(object).length > 0)
    // Two ways of at most two hops each on so few nodes, and the host itself.
    assert.ok(withPointers.length <= 6, `${withPointers.length} nodes`)
    nodes[0]!.unpublish(object)
    network.run(1_000)
    assert.deepEqual(
      network.living().flatMap((node) => node.pointers(object)),
      [],
    )
  })

  it('leaves no pointers behind when an object is unpublished whose records took two ways, because hops were late', () => {
    const { network, nodes } = networkOf(30, 43)
    let acks = 0
    const late: typeof network.delayMs = ({ type }) => (type === 'reply' ? 1_100 : type === 'ack' && ++acks % 2 === 0 ? 1_500 : 0)
    for (const [i, host] of nodes.slice(0, 12).entries()) {
      const guid = guidOf(bytesOf(`object ${i}`))
      network.delayMs = late
      assert.ok(host.host(guid).ok)
      network.delayMs = () => 0
      network.run(3_000)
      assert.ok(host.unpublish(guid).ok)
      network.run(3_000)
      for (const node of nodes) assert.deepEqual(node.pointers(guid), [], node.name)
    }
  })

  it('hands what it is the root of to the next root when it leaves, and withdraws what it hosts', () => {
    const { network, nodes } = networkOf(16, 31, { roots: 1, republishMs: 190_000 })
    const root = network.root(object)
    const [host, second] = nodes.filter((node) => node !== root) as [Member, Member]
    host.host(object)
    second.host(object)
    root.leave()
    for (const node of network.living()) assert.equal(node.locate(object).length, 2, node.name)
    second.leave()
    for (const node of network.living()) assert.deepEqual(node.locate(object), [host.name])
  })

  it('follows an object that moves', () => {
    const { nodes } = networkOf(16, 32)
    for (const host of nodes.slice(0, 5)) {
      host.host(object)
      for (const node of nodes.slice(10)) assert.deepEqual(node.send(object), [`${host.name}: hello`])
      host.unpublish(object)
    }
  })

  it('finds the new place of an object although the old one did not say that it is gone', () => {
    const { network, nodes } = networkOf(16, 33)
    nodes[0]!.host(object)
    nodes[0]!.crash()
    network.run(20_000)
    network.add('node 0')
    nodes[5]!.host(object)
    for (const node of network.living().slice(8)) assert.deepEqual(node.send(object), ['node 5: hello'])
  })

  it('publishes again under the same id after a restart', () => {
    const { network, nodes } = networkOf(8, 34)
    nodes[0]!.host(object)
    nodes[0]!.crash()
    network.run(15_000)
    const again = network.add('node 0')
    assert.equal(again.host(object).ok, true)
    assert.deepEqual(nodes[5]!.send(object), ['node 0: hello'])
  })

  it('has a message handled once though the answer takes long and messages get lost', () => {
    const { network, nodes } = networkOf(12, 35)
    let answers = 0
    nodes[0]!.host(object, () => `answer ${++answers}`)
    network.loss = 0.1
    for (let i = 0; i < 40; i++) nodes[1 + (i % 11)]!.send(object, `message ${i}`, { timeoutMs: 30_000 })
    assert.deepEqual(nodes[0]!.handled.toSorted(), [...new Set(nodes[0]!.handled)].toSorted())
    assert.ok(answers >= 39, `${answers} of 40 got through`)
  })

  it('waits for a slow handler, and passes over a host that dies meanwhile', () => {
    const { network, nodes } = networkOf(12, 36)
    const [first, second, sender] = nodes as [Member, Member, Member]
    first.host(object, () => undefined)
    const command = sender.command((now, fx) => sender.dolr.send({ guid: object, message: bytesOf('slow'), timeoutMs: 60_000 }, now, fx))
    network.run(20_000)
    assert.equal(sender.outcomeOf(command), undefined)
    second.host(object)
    first.crash()
    assert.ok(network.runUntil(() => sender.outcomeOf(command) !== undefined, 10_000))
    assert.equal(sender.outcomeOf(command)!.ok, true)
    assert.deepEqual(second.handled, ['slow'])
  })

  it('waits longer for a handler than one request does, and has the message handled once', () => {
    const { network, nodes } = networkOf(6, 41, { handlerMs: 300_000 })
    const [host, sender] = nodes as [Member, Member]
    host.host(object, () => undefined)
    const timeoutMs = 400_000
    const command = sender.command((now, fx) => sender.dolr.send({ guid: object, message: bytesOf('very slow'), timeoutMs }, now, fx))
    network.run(290_000)
    assert.equal(sender.outcomeOf(command), undefined)
    assert.deepEqual(host.handled, ['very slow'])
    network.run(20_000)
    assert.match(JSON.stringify(sender.outcomeOf(command)), /ERR_ROUTE/)
  })

  it('sends the message itself on when the holder chooses, and past hosts that are dead', () => {
    const { nodes } = networkOf(20, 37, { choose: 'holder' })
    const hosts = nodes.slice(0, 3)
    for (const host of hosts) host.host(object)
    for (const sender of nodes.slice(3)) assert.match(sender.send(object)[0]!, /^node [012]: hello$/)
    hosts[0]!.crash()
    hosts[1]!.crash()
    for (const sender of nodes.slice(3)) assert.deepEqual(sender.send(object), ['node 2: hello'])
    hosts[2]!.unpublish(object)
    assert.match(nodes[10]!.send(object)[0]!, /^(NotFound|Deadline)Error/)
  })

  it('gives a message to one host though hops are late, so that others would take two ways, when the holder chooses', () => {
    const { network, nodes } = networkOf(40, 42, { choose: 'holder', roots: 1, nearNeighbors: 4, nearHops: 2 })
    const hosts = nodes.slice(0, 4)
    for (const host of hosts) host.host(object)
    let acks = 0
    network.delayMs = ({ type }) => (type === 'reply' ? 2_000 : type === 'ack' && ++acks % 2 === 0 ? 1_500 : 0)
    const sent: string[] = []
    for (const sender of nodes.slice(4)) {
      sent.push(`from ${sender.name}`)
      assert.match(sender.send(object, sent.at(-1))[0]!, /^node [0-3]: from/)
      network.run(5_000)
    }
    assert.deepEqual(hosts.flatMap(({ handled }) => handled).toSorted(), sent.toSorted())
  })

  it('gives an unpublished host no message that the holder chose it for', () => {
    const { network, nodes } = networkOf(20, 38, { choose: 'holder' })
    nodes[0]!.host(object)
    nodes[1]!.host(object)
    nodes[0]!.unpublish(object)
    network.run(100)
    for (const sender of nodes.slice(2)) assert.deepEqual(sender.send(object), ['node 1: hello'])
    assert.deepEqual(nodes[0]!.handled, [])
  })

  it('is the same twice from one seed', () => {
    const histories = [1, 2].map(() => {
      const { network, nodes } = networkOf(10, 40)
      nodes[0]!.host(object)
      nodes[1]!.host(object)
      nodes[9]!.send(object, 'x', { n: 2 })
      network.run(70_000)
      return JSON.stringify(nodes.map(({ events }) => events))
    })
    assert.equal(histories[0], histories[1])
  })
})
