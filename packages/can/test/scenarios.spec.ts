import assert from 'node:assert/strict'
import type { Message, NodeRef } from '@plaxton/kbr'
import { describeScenarios, guid, playBlocks } from '@plaxton/testbed'
import type { Claim } from '../src/claim.ts'
import type { CanMessage } from '../src/messages.ts'
import { TestNetwork } from './network.ts'

/**
 * What nodes say to each other, as text: commands, then everything that follows from them. Two dimensions, ids of 8 bits. `UPDATE=1` writes the files anew; commit a
 * change only if you understand it.
 */
describeScenarios(new URL('./scenarios/', import.meta.url), (text) => new Scenario().play(text))

/** Blocks of commands and, after `----`, what came of them, set apart by empty lines. */
class Scenario {
  private readonly network: TestNetwork
  private log: string[] = []

  constructor() {
    // Nothing of its own accord, apart from what a command brings about.
    const calm = { heartbeatMs: 3_600_000, watchMs: 3_600_000, historyMs: 86_400_000, reassignMs: 20_000, caretakeMs: 5_000 }
    this.network = new TestNetwork('scenario', { dimensions: 2, groupMin: 2, joinRetryMs: 1, ...calm }, 8)
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
      case 'grow':
        network.grow(rest.map(guid))
        network.run(5_000)
        this.log = []
        return
      case 'join': {
        const joiner = network.add(guid(rest[0]!))
        joiner.join([network.hosts.get(guid(rest[1]!))!])
        network.runUntil(() => joiner.node.ready, 60_000)
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
      case 'zones':
        for (const { ref, node } of network.members())
          this.log.push(`${ref.id} owns ${node.zones.map((zone) => `'${zone}'`).join(' and ')}`)
        return
      default:
        assert.fail(`no command ${word}`)
    }
  }

  private note(from: NodeRef, to: NodeRef, message: Message): void {
    this.log.push(`${from.id} -> ${to.id}  ${inWords(message as CanMessage | { type: 'route' })}`)
  }
}

function inWords(message: CanMessage | { type: 'route' }): string {
  const owned = (claims: readonly Claim[]): string =>
    claims.map(({ zone, version, caretaker }) => `'${zone}' v${version}${caretaker ? ' in care' : ''}`).join(', ')
  switch (message.type) {
    case 'report': {
      const knows = message.others.map(({ node }) => node.id).join(' ') || 'nobody'
      const gone = message.gone.length > 0 ? ` and no longer ${message.gone.join(' ')}` : ''
      return `report: ${owned(message.claims)}; ${message.base === 0 ? 'knows' : 'newly knows'} ${knows}${gone}${message.echo > 0 ? ', answers' : ''}${message.token > 0 ? ', asks' : ''}`
    }
    case 'grant':
    case 'adopt':
      return `${message.type} ${owned([message.zone])}`
    case 'leave':
      return `leave: ${message.claims.map((claim, i) => `${owned([claim])} to ${message.heirs[i]}`).join(', ')}`
    case 'join-request':
      return `join-request to ${message.purpose} ${message.key}`
    case 'doubt':
      return `doubt ${message.node}`
    case 'search':
      return `search '${message.zone}', ring ${message.ttl}`
    default:
      return message.type
  }
}
