import assert from 'node:assert/strict'
import type { Message, NodeRef } from '@plaxton/kbr'
import { describeScenarios, guid, playBlocks } from '@plaxton/testbed'
import type { Claim } from '../src/claim.ts'
import type { RealitiesMessage } from '../src/realities-messages.ts'
import { RealitiesNetwork } from './realities-network.ts'

/**
 * What nodes of two realities say to each other, as text: commands, then everything that follows from them. Two dimensions, ids of 16 bits. `UPDATE=1` writes the files anew; commit a change only if
 * you understand it.
 */
describeScenarios(new URL('./realities-scenarios/', import.meta.url), (text) => new Scenario().play(text))

/** Blocks of commands and, after `----`, what came of them, set apart by empty lines. */
class Scenario {
  private readonly network: RealitiesNetwork
  private log: string[] = []
  /** Whose messages about twins are told; undefined: everybody's, and all others. */
  private about: string | undefined = undefined

  constructor() {
    // Nothing of its own accord, apart from what a command brings about.
    const calm = { heartbeatMs: 3_600_000, watchMs: 3_600_000, historyMs: 86_400_000, reassignMs: 20_000, caretakeMs: 5_000 }
    this.network = new RealitiesNetwork('scenario', { realities: 2, dimensions: 2, groupMin: 2, joinRetryMs: 1, ...calm }, 16)
    this.network.onSent = (from, to, message) => this.note(from, to, message as RealitiesMessage | (Message & { type: 'route' }))
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
        network.run(200_000)
        this.log = []
        return
      case 'only':
        this.about = rest[0]
        return
      case 'join': {
        const joiner = network.add(guid(rest[0]!))
        joiner.join([network.hosts.get(guid(rest[1]!))!])
        network.runUntil(() => joiner.node.ready, 60_000)
        return
      }
      case 'crash':
        return host!.crash()
      case 'suspect':
        return host!.node.suspect({ id: guid(rest[1]!), address: '', epoch: 1 }, network.now, host!)
      case 'run':
        network.run(Number(rest[0]))
        return
      case 'zones':
        for (const { ref, node } of network.members())
          for (const [reality, { zones }] of node.realities.entries())
            this.log.push(`${ref.id} owns ${zones.map((zone) => `'${zone}'`).join(' and ')} in reality ${reality}`)
        return
      case 'owners':
        for (const reality of [0, 1]) {
          const owners = network
            .members()
            .filter(({ node }) => node.realities[reality]!.nextHop(guid(rest[0]!), 0, new Set()).action === 'deliver')
          this.log.push(`${rest[0]} is in the zone of ${owners.map(({ ref }) => ref.id).join(' and ')} in reality ${reality}`)
        }
        return
      case 'way': {
        const { path, end } = network.way(guid(rest[1]!), host!)
        this.log.push(`${path.join(' -> ')}: ${end}`)
        return
      }
      default:
        assert.fail(`no command ${word}`)
    }
  }

  private note(from: NodeRef, to: NodeRef, message: RealitiesMessage | { readonly type: 'route' }): void {
    const isAboutTwins = message.type === 'twin-ask' || message.type === 'twin-tell'
    if (this.about === undefined || (isAboutTwins && [from.id, to.id].includes(guid(this.about))))
      this.log.push(`${from.id} -> ${to.id}  ${inWords(message)}`)
  }
}

function inWords(message: RealitiesMessage | { readonly type: 'route' }): string {
  const owned = (claims: readonly Claim[]): string => claims.map(({ zone, version }) => `'${zone}' v${version}`).join(', ') || 'nothing'
  switch (message.type) {
    case 'within': {
      const { message: said, reality } = message
      const words =
        said.type === 'grant' ? `grant ${owned([said.zone])}` : said.type === 'report' ? `report: ${owned(said.claims)}` : said.type
      return `in ${reality}: ${words}`
    }
    case 'twin-ask':
      return `twin-ask about ${message.zones.map((zone) => `'${zone}'`).join(', ')}`
    case 'twin-tell':
      return `twin-tell: ${owned(message.claims)}; ask also ${message.others.map(({ node }) => node.id).join(' ') || 'nobody'}`
    case 'route':
      return 'route'
  }
}
