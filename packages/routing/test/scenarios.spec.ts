import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Guid } from '@plaxton/guid'
import type { KbrEvent, Message, NodeRef } from '@plaxton/kbr'
import type { RefusalMessage, RouteMessage } from '../src/index.ts'
import { Network } from './network.ts'
import { bytes, text } from './support.ts'

/**
 * Exchanges as text: the commands, a line, and everything that happens then. The files are the shortest explanation of the protocol.
 * `UPDATE=1 mocha test/scenarios.spec.ts` writes what happens now; commit a change only if you understand it.
 *
 * Numbers of transmissions are shown as #1, #2, … for each sender. One way takes 10 ms, and 3000 ms pass until the overlay knows about
 * a suspect.
 */
const folder = new URL('scenarios/', import.meta.url)

describe('the scenario', () => {
  for (const name of readdirSync(folder)) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const file = new URL(name, folder)
      const committed = readFileSync(file, 'utf8')
      const commands = committed.slice(0, committed.indexOf('----\n') + 5)
      const happened = commands + play(commands.split('\n'))
      if (process.env['UPDATE'] === '1') writeFileSync(file, happened)
      assert.equal(happened, readFileSync(file, 'utf8'))
    })
  }
})

function play(lines: string[]): string {
  const ids = lines
    .find((line) => line.startsWith('nodes '))!
    .split(' ')
    .slice(1)
  const network = new Network(ids, { loss: 0, latencyMs: [10, 10], detectionMs: 3000, encode: true }, 1)
  const trace: string[] = []
  const note = (line: string) => trace.push(`${String(network.now).padStart(6)}  ${line}`)
  const show = shower()
  network.onSend = (from, to, message, arrives) => note(`${from.id} -> ${to.id}  ${show(from, to, message)}${arrives ? '' : '  (lost)'}`)
  network.onEmit = (at, event) => void (event.type !== 'dropped' && note(`${at.id} event  ${describeEvent(event)}`))

  for (const [, at, id, what] of lines.join('\n').matchAll(/^at (\d+): (\w+) (.*)$/gm)) {
    const member = network.members.find(({ ref }) => ref.id === id)!
    member.app.onDeliver = (message, fx) => {
      if (message.reply !== 0) fx.reply(message.reply, bytes('found'))
    }
    network.schedule(Number(at), () => {
      note(`${id} ${what}`)
      const [verb, ...rest] = what!.split(' ')
      if (verb === 'crashes') network.crash(member)
      else if (verb === 'routes')
        network.command(member, (fx) => fx.route(rest[1] as Guid, bytes('where'), { replyWithinMs: 20_000, keepPath: true }))
      else if (verb === 'asks')
        network.command(member, (fx) =>
          fx.request(network.members.find(({ ref }) => ref.id === rest[0])!.ref, bytes('what'), { withinMs: 20_000 }),
        )
      else if (verb === 'leaves') network.leave(member)
      else member.cutOff = what === 'is cut off'
    })
  }
  for (const { app, ref } of network.members) {
    app.replied = (_id, reply) => {
      const outcome = reply.ok ? `"${text(reply.payload)}" over ${reply.hops} hops` : `${reply.failure.reason}: ${reply.failure.detail}`
      note(`${ref.id} outcome  ${outcome}${reply.path.length > 0 ? `, path ${reply.path.join(' ')}` : ''}`)
    }
  }
  network.run()
  return trace.map((line) => `${line}\n`).join('')
}

/** Messages in a few words, with small numbers in the order they were first used. */
function shower(): (from: NodeRef, to: NodeRef, message: Message) => string {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  const asks = new Set(['route', 'request', 'find'])
  return (from, to, message) => {
    const { type, seq, key, hops, reason, payload } = message as Message & Partial<RouteMessage & Pick<RefusalMessage, 'reason'>>
    const owner = asks.has(type) ? from.id : to.id
    const id = `${owner} ${seq ?? ''}`
    if (!names.has(id)) {
      const count = (counts.get(owner) ?? 0) + 1
      counts.set(owner, count)
      names.set(id, `#${count}`)
    }
    const details = [
      `${type} ${names.get(id) ?? ''}`,
      key === undefined ? '' : `key=${key}`,
      hops === undefined ? '' : `hops=${hops}`,
      reason === undefined ? '' : `reason=${reason}`,
      payload instanceof Uint8Array ? `"${text(payload)}"` : '',
    ]
    return details.filter((detail) => detail !== '').join(' ')
  }
}

function describeEvent(event: KbrEvent): string {
  if (event.type === 'rerouted') return `rerouted from ${event.from.id} to ${event.to.id}`
  if (event.type === 'delivered') return `delivered key=${event.key} hops=${event.hops}`
  if (event.type === 'route-failed') return `route-failed ${event.failure.reason}: ${event.failure.detail}`
  return event.type
}
