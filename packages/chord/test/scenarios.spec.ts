import assert from 'node:assert/strict'
import type { Message, NodeRef } from '@plaxton/kbr'
import { byte, describeScenarios, guid, playBlocks } from '@plaxton/testbed'
import type { ChordMessage } from '../src/messages.ts'
import { TestNetwork } from './network.ts'

/**
 * What nodes say to each other, as text: commands, then everything that follows from them. `UPDATE=1` writes the files anew; commit a change only if you
 * understand it.
 */
describeScenarios(new URL('./scenarios/', import.meta.url), (text) => new Scenario().play(text))

/** Blocks of commands and, after `----`, what came of them, set apart by empty lines. */
class Scenario {
  private readonly network: TestNetwork
  private log: string[] = []

  constructor() {
    // Lists short enough to read, and nothing of its own accord.
    const calm = { stabilizeMs: 3_600_000, historyMs: 86_400_000 }
    this.network = new TestNetwork('scenario', { successors: 3, predecessors: 2, fingerSuccessors: 0, joinRetryMs: 1, ...calm })
    this.network.latencyMs = () => 10
    this.network.onSent = (from, to, message) => this.note(from, to, message)
  }

  play(text: string): string {
    return playBlocks(text, (commands) => {
      this.log = []
      for (const command of commands) this.command(command)
      return this.log
    })
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
