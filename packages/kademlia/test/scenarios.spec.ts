import type { Guid } from '@plaxton/guid'
import type { Message, NodeRef } from '@plaxton/kbr'
import { describeScenarios } from '@plaxton/testbed'
import type { KademliaConfig } from '../src/index.ts'
import type { KademliaMessage } from '../src/messages.ts'
import { TestNetwork } from './network.ts'
import type { TestHost } from './network.ts'

/**
 * Exchanges as text: the nodes there are, the commands, a line, and everything that happens then. The files are the shortest explanation of the protocol.
 * `UPDATE=1 mocha test/scenarios.spec.ts` writes what happens now; commit a change only if you understand it.
 *
 * Numbers of questions are shown as #1, #2, … for each asker. One way takes 10 ms. `for` is how long is looked on; what maintenance does by itself is hourly unless
 * a file says otherwise.
 */
describeScenarios(new URL('scenarios/', import.meta.url), (text) => {
  const commands = text.slice(0, text.indexOf('----\n') + 5)
  return commands + play(commands.split('\n'))
})

const hourMs = 3_600_000
const calm: Partial<KademliaConfig> = { heartbeatMs: hourMs, contactMs: hourMs, exchangeMs: hourMs, seekMs: hourMs, vacantMs: hourMs }

function play(lines: string[]): string {
  const words = (verb: string): string[] =>
    lines
      .find((line) => line.startsWith(`${verb} `))
      ?.split(' ')
      .slice(1) ?? []
  const changes = Object.fromEntries(words('config').map((word) => [word.split('=')[0]!, Number(word.split('=')[1])]))
  const network = new TestNetwork('scenario', { ...calm, ...changes })
  network.latencyMs = () => 10
  network.grow(words('members') as Guid[])
  network.run(20_000)
  const startedAt = network.now
  const trace: string[] = []
  const note = (line: string) => trace.push(`${String(network.now - startedAt).padStart(6)}  ${line}`)
  const show = shower()
  network.onSent = (from, to, message, arrives) => note(`${from.id} -> ${to.id}  ${show(from, to, message)}${arrives ? '' : '  (lost)'}`)

  for (const [, at, id, verb, rest] of lines.join('\n').matchAll(/^at (\d+): (\w+) (\w+) ?(.*)$/gm)) {
    network.at(Number(at), () => {
      note(`${id} ${verb} ${rest}`.trimEnd())
      const host = network.hosts.get(id as Guid) ?? network.add(id as Guid)
      act(network, host, verb!, rest!.split(' '))
    })
  }
  const events = new Map<TestHost, number>()
  const end = network.now + Number(words('for')[0])
  network.runUntil(
    () => {
      for (const host of network.hosts.values()) {
        for (const event of host.events.slice(events.get(host) ?? 0)) {
          if (network.now >= startedAt && events.has(host))
            note(`${host.ref.id} event  ${event.type}${'peer' in event ? ` ${event.peer.id}` : ''}`)
          else if (host.alive && event.type === 'ready' && network.now > startedAt) note(`${host.ref.id} event  ready`)
        }
        events.set(host, host.events.length)
      }
      return network.now >= end
    },
    Number(words('for')[0]),
  )
  for (const id of words('show')) note(`${id} has siblings ${namesOf(network.hosts.get(id as Guid)!.node.neighborSet(99))}`)
  return trace.map((line) => `${line}\n`).join('')
}

function act(network: TestNetwork, host: TestHost, verb: string, rest: string[]): void {
  const other = network.hosts.get(rest.at(-1) as Guid)
  if (verb === 'joins') host.join([other!])
  else if (verb === 'crashes') host.crash()
  else if (verb === 'leaves') host.leave()
  else if (verb === 'suspects') host.node.suspect(other!.ref, network.now, host)
  else throw new Error(`no such command: ${verb}`)
}

/** Messages in a few words, with small numbers in the order they were first used. */
function shower(): (from: NodeRef, to: NodeRef, message: Message) => string {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  const number = (owner: NodeRef, seq: number): string => {
    const name = `${owner.id} ${seq}`
    if (!names.has(name)) {
      counts.set(owner.id, (counts.get(owner.id) ?? 0) + 1)
      names.set(name, `#${counts.get(owner.id)}`)
    }
    return names.get(name)!
  }
  return (from, to, each) => {
    const message = each as KademliaMessage
    const standing = 'member' in message && !message.member ? '  (no member)' : ''
    switch (message.type) {
      case 'ping':
        return `ping ${number(from, message.seq)}${standing}`
      case 'pong':
        return `pong ${number(to, message.seq)}${standing}`
      case 'find-node':
        return `find-node ${number(from, message.seq)} key=${message.key} knows ${message.known.join(' ') || 'nobody'}${standing}`
      case 'nodes':
        return `nodes ${number(to, message.seq)} ${namesOf(message.refs)}${message.gone.length > 0 ? `, dead: ${message.gone.join(' ')}` : ''}${standing}`
      case 'obituary':
        return `obituary ${message.gone.join(' ')}`
      case 'leave':
        return `leave ${namesOf(message.refs)}`
      case 'heartbeat':
        return 'heartbeat'
    }
  }
}

function namesOf(refs: readonly NodeRef[]): string {
  return refs.map(({ id }) => id).join(' ') || 'nobody'
}
