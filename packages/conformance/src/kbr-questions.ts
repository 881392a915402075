import assert from 'node:assert/strict'
import { inOpenClosed, shortGuid, successorGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { KbrCase, KbrContext, OverlayAbilities } from './kbr-network.ts'
import { allNeighbors, memberOf, ranksOf, rootOf } from './kbr-network.ts'
import { anyKey, assertArrived, foreignKey, send, someKeys } from './kbr-send.ts'

/** The questions that are answered from local state: `localLookup`, `neighborSet`, `replicaSet`, `range`; and the iterative lookup. */
export const questionCases: readonly KbrCase[] = [
  {
    title: 'replicaSet names the first k responsible in their order at the root, and nobody out of place anywhere',
    run: async (context) => {
      for (const key of someKeys(context, 10, 20)) assertReplicaSets(context, key)
    },
  },
  {
    title: 'replicaSet, neighborSet and localLookup name at most as many nodes as asked for, and none at all when asked for none',
    run: async (context) => {
      const { network, prng } = context
      for (const { overlay } of network.members) {
        const key = anyKey(network, prng)
        for (const num of [0, 1, 2, 5]) {
          for (const named of [
            overlay.replicaSet(key, num),
            overlay.neighborSet(num),
            overlay.localLookup(key, num, false),
            overlay.localLookup(key, num, true),
          ]) {
            assert(named.length <= num, `asked for ${num} nodes, it named ${named.length}`)
          }
        }
      }
    },
  },
  {
    title: 'neighborSet names live nodes, each once, never the node itself; somebody unless it is alone',
    run: async (context) => {
      const { network } = context
      for (const { overlay, self } of network.members) {
        const named = overlay.neighborSet(allNeighbors)
        assertMembers(context, named)
        assert(!named.some(({ id }) => id === self.id), 'a node names itself as its neighbour')
        if (network.members.length > 1) assert(named.length > 0, `${shortGuid(self.id)} has no neighbour`)
      }
    },
  },
  {
    title: 'localLookup names live nodes, never the node itself, through which a message arrives; safe or not',
    run: async (context) => {
      const { network, prng } = context
      for (const from of prng.shuffle(network.members).slice(0, 8)) {
        const key = network.members.length === 1 ? anyKey(network, prng) : foreignKey(context, from)
        for (const safe of [false, true]) {
          const named = from.overlay.localLookup(key, 4, safe)
          assertMembers(context, named)
          assert(!named.some(({ id }) => id === from.self.id), 'a node names itself as the next hop')
          if (rootOf(context, key) !== from) assert(named.length > 0, `${shortGuid(from.self.id)} knows no way to ${key}`)
          for (const firstHop of named) assertArrived(context, await send(network, { from, key, firstHop }))
        }
      }
    },
  },
  {
    title: 'asking changes nothing: the same question gets the same answer',
    run: async ({ network, prng }) => {
      for (const { overlay, self } of network.members) {
        const key = anyKey(network, prng)
        const ask = () => [
          overlay.nextHop(key, 0, new Set()),
          overlay.replicaSet(key, 8),
          overlay.neighborSet(allNeighbors),
          overlay.localLookup(key, 4, false),
          overlay.localLookup(key, 4, true),
          overlay.range(self, 0, key),
        ]
        const first = ask()
        for (let i = 0; i < 3; i++) assert.deepEqual(ask(), first)
        overlay.assertInvariants()
      }
    },
  },
  {
    title: 'an iterative lookup ends at the root of the key',
    run: async (context) => {
      const { network, prng } = context
      for (const key of someKeys(context, 3, 3)) {
        const from = prng.pick(network.members)!
        assert.equal(await from.lookup(key), rootOf(context, key).self.id)
      }
    },
  },
]

/** What `range` tells, or the sentence that it cannot. */
export function rangeCases(ranges: OverlayAbilities['ranges']): KbrCase[] {
  if (ranges === false) return [{ title: 'declares: it cannot tell which keys are whose (range)', run: tellsNoRange }]
  return [
    {
      title: 'range tells a node its own keys, and of whom it knows nothing but the truth, for every rank',
      run: async (context) => assertRanges(context),
    },
    {
      title: 'range does not know strangers, nor ranks that nobody has',
      run: async ({ network, prng }) => {
        for (const { overlay, self } of network.members) {
          const stranger = { ...self, id: anyKey(network, prng) }
          assert.equal(overlay.range(stranger, 0, self.id), undefined)
          assert.equal(overlay.range(self, network.members.length, self.id), undefined)
        }
      },
    },
    ranges === 'contiguous'
      ? { title: 'the keys of a node are one interval', run: (context) => intervals(context, true) }
      : {
          title: 'declares: ranges are not contiguous; asked again from the end of each, they come round',
          from: 8,
          run: (context) => intervals(context, false),
        },
  ]
}

/** At the root, the first ranks in order; elsewhere, only what is sure, which may be less. */
export function assertReplicaSets(context: KbrContext, key: Guid): void {
  const { network } = context
  const ranks = ranksOf(context, key)
  for (const { overlay, self } of network.members) {
    const named = overlay.replicaSet(key, ranks.length).map(({ id }) => id)
    assert.deepEqual(named, ranks.slice(0, named.length), `replicaSet of ${key} at ${shortGuid(self.id)}`)
  }
  const atRoot = memberOf(context, ranks[0]!).overlay.replicaSet(key, ranks.length)
  const least = Math.min(ranks.length, leastRanks)
  assert(atRoot.length >= least, `the root of ${key} knows ${atRoot.length} of its replica set, fewer than ${least}`)
}

/** Ranks that a root must know: room for three replicas, with which every service here can work. */
const leastRanks = 3

/** For random keys: a range holds exactly those keys for which its node has that rank, as far as the question was about them. */
export function assertRanges(context: KbrContext): void {
  const { network } = context
  for (const key of someKeys(context, 6, 12)) {
    const ranks = ranksOf(context, key)
    for (const { overlay, self } of network.members) {
      for (const [rank, id] of ranks.slice(0, 4).entries()) {
        const range = overlay.range(memberOf(context, id).self, rank, key)
        const told = range === undefined ? 'nothing' : `(${range.from}, ${range.to}]`
        if (id === self.id && rank === 0) assert(range !== undefined, `${shortGuid(id)} does not know its own keys`)
        if (range !== undefined)
          assert(
            inOpenClosed(key, range.from, range.to),
            `${key} is rank ${rank} of ${shortGuid(id)}, but ${shortGuid(self.id)} tells ${told}`,
          )
      }
      for (const [rank, id] of ranks.slice(0, 4).entries()) {
        const other = ranks[(rank + 1) % ranks.length]!
        if (other === id) continue
        const range = overlay.range(memberOf(context, other).self, rank, key)
        assert(
          range === undefined || !inOpenClosed(key, range.from, range.to),
          `${shortGuid(self.id)} takes ${key} for rank ${rank} of ${shortGuid(other)}`,
        )
      }
    }
  }
}

/** Goes round the ring by asking on from the end of each interval. */
async function intervals({ network, prng }: KbrContext, single: boolean): Promise<void> {
  let most = 0
  for (const { overlay, self } of network.members) {
    const first = overlay.range(self, 0, anyKey(network, prng))!
    let [count, at] = [1, first]
    for (; count < mostIntervals && at.from !== at.to; count++) {
      const next = overlay.range(self, 0, successorGuid(at.to))
      assert(next !== undefined, 'a node does not know its own keys')
      if (next.to === first.to) break
      at = next
    }
    assert(count < mostIntervals, `${shortGuid(self.id)} has more than ${mostIntervals} intervals, or asking on never comes round`)
    most = Math.max(most, count)
  }
  if (single) assert.equal(most, 1, 'a node has several intervals')
  else assert(most > 1, 'every node has one interval: it may say contiguous')
}

/** More than the nodes of the networks here have. */
const mostIntervals = 2_000

async function tellsNoRange({ network, prng }: KbrContext): Promise<void> {
  for (const { overlay, self } of network.members)
    assert.equal(overlay.range(self, 0, anyKey(network, prng)), undefined, 'it tells ranges: say so')
}

function assertMembers({ network }: KbrContext, named: readonly NodeRef[]): void {
  assert.equal(new Set(named.map(({ id }) => id)).size, named.length, 'a node is named twice')
  for (const { id, epoch } of named) {
    const member = network.members.find(({ self }) => self.id === id)
    assert(member !== undefined, `${shortGuid(id)} is named and is not there`)
    assert.equal(epoch, member.self.epoch, `${shortGuid(id)} is named in an incarnation that is gone`)
  }
}
