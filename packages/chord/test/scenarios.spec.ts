import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import type { Message, NodeRef } from '@plaxton/kbr'
import { byte, guid } from '@plaxton/testbed'
import type { ChordMessage } from '../src/messages.ts'
import { TestNetwork } from './network.ts'

/**
 * What nodes say to each other, as text: commands, then everything that follows from them. `UPDATE=1` writes the files anew; commit a change only if you
 * understand it.
 */
describe('scenarios', () => {
  const folder = new URL('./scenarios/', import.meta.url)
  for (const name of readdirSync(folder)) {
    it(`${name.replace('.txt', '').replaceAll('-', ' ')} is as written down`, () => {
      const file = new URL(name, folder)
      const text = readFileSync(file, 'utf8')
      const played = new Scenario(text).play()
      if (process.env['UPDATE'] === '1') writeFileSync(file, played)
      assert.equal(text, played)
    })
  }
})

/** Blocks of commands and, after `----`, what came of them, set apart by empty lines. */
class Scenario {
  private readonly blocks: readonly string[]
  private readonly network: TestNetwork
  private log: string[] = []

  constructor(text: string) {
    this.blocks = text.trimEnd().split('\n\n')
    // Lists short enough to read, and nothing of its own accord.
    const calm = { stabilizeMs: 3_600_000, historyMs: 86_400_000 }
    this.network = new TestNetwork('scenario', { successors: 3, predecessors: 2, fingerSuccessors: 0, joinRetryMs: 1, ...calm })
    this.network.latencyMs = () => 10
    this.network.onSent = (from, to, message) => this.note(from, to, message)
  }

  play(): string {
    return `${this.blocks.map((block) => this.playBlock(block)).join('\n\n')}\n`
  }

  private playBlock(block: string): string {
    const commands = block.split('\n----')[0]!
    this.log = []
    for (const line of commands.split('\n')) if (!line.startsWith('#')) this.command(line.split(' '))
    return `${commands}\n----\n${this.log.join('\n')}`.trimEnd()
  }

  private command([word, ...rest]: readonly string[]): void {
    const { network } = this
    const host = network.hosts.get(guid(rest[0] ?? ''))
    switch (word) {
      case 'ring': {
        network.grow(rest.map(guid))
        network.run(5_000)
        this.log = []
        return
      }
      case 'join': {
        const joiner = network.add(guid(rest[0]!))
        joiner.join([network.hosts.get(guid(rest[1]!))!])
        network.runUntil(() => joiner.node.ready, 60_000)
        this.log.push(
          `${rest[0]} is ${joiner.node.ready ? 'a member' : 'no member'} after ${joiner.events.map((event) => `${event.type}`).join()}`,
        )
        return
      }
      case 'leave':
        return host!.leave()
      case 'crash':
        return host!.crash()
      case 'suspect':
        return host!.node.suspect({ id: guid(rest[1]!), address: '', epoch: 1 }, network.now, host!)
      case 'run':
        return network.run(Number(rest[0]))
      case 'owns': {
        const keys = Array.from({ length: 256 }, (_, key) => byte(key))
        const owned = keys.filter((key) => host!.node.nextHop(key, 0, new Set()).action === 'deliver')
        const held = keys.filter((key) => host!.node.nextHop(key, 0, new Set()).action === 'hold')
        this.log.push(`${rest[0]} delivers ${runs(owned)}, holds ${runs(held)}`)
        return
      }
      default:
        assert.fail(`no command ${word}`)
    }
  }

  private note(from: NodeRef, to: NodeRef, message: Message): void {
    this.log.push(`${from.id} -> ${to.id}  ${inWords(message as ChordMessage | { type: 'route' })}`)
  }
}

function inWords(message: ChordMessage | { type: 'route' }): string {
  const names = (refs: readonly NodeRef[]): string => refs.map(({ id }) => id).join(' ')
  const lists = (around: { predecessors: readonly NodeRef[]; successors: readonly NodeRef[] }): string =>
    `[${names(around.predecessors.toReversed())} | ${names(around.successors)}]`
  switch (message.type) {
    case 'stabilize':
    case 'neighbors': {
      const words = [
        message.type,
        ...(message.member ? [] : ['no member']),
        ...('counted' in message && message.counted ? ['counts you'] : []),
        message.unchanged ? 'lists as before' : lists(message),
        ...(message.failed.length > 0 ? [`failed ${message.failed.join(' ')}`] : []),
      ]
      return words.join(', ')
    }
    case 'join-state':
    case 'leave':
      return `${message.type}, ${lists(message)}`
    case 'join-request':
      return `${message.type} to ${message.purpose}`
    case 'finger-reply':
      return `${message.type} [${names(message.refs)}]`
    default:
      return message.type
  }
}

/** Consecutive keys as `from..to`, round the ring. */
function runs(keys: readonly string[]): string {
  const found: string[][] = []
  for (const key of keys) {
    const last = found.at(-1)
    if (last !== undefined && parseInt(last.at(-1)!, 16) + 1 === parseInt(key, 16)) last.push(key)
    else found.push([key])
  }
  return found.map((run) => (run.length === 1 ? run[0] : `${run[0]}..${run.at(-1)}`)).join(' and ') || 'nothing'
}
