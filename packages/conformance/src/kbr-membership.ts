import assert from 'node:assert/strict'
import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KbrCase, KbrContext, KbrMember, OverlayAbilities } from './kbr-network.ts'
import { allNeighbors, among, rootOf } from './kbr-network.ts'
import { assertRanges, assertReplicaSets } from './kbr-questions.ts'
import { anyKey, assertAllArrive, someKeys } from './kbr-send.ts'
import { settle } from './kbr-settle.ts'

/** Nodes come and go, and everything holds again. The cases leave as many nodes behind as they found. */
export function membershipCases(has: OverlayAbilities): KbrCase[] {
  const cases: KbrCase[] = [
    {
      title: 'a node alone is a member at once: everything is its own',
      upTo: 1,
      run: async (context) => {
        const [{ overlay, self }] = context.network.members as [KbrMember]
        for (const key of someKeys(context, 4, 6)) {
          assert.deepEqual(overlay.nextHop(key, 0, new Set()), { action: 'deliver' })
          assert.deepEqual(overlay.replicaSet(key, 5), [self])
          assert.deepEqual(overlay.localLookup(key, 5, false), [])
          if (has.ranges === false) continue
          const range = overlay.range(self, 0, key)
          assert.equal(range?.from, range?.to, 'the keys of a node alone are the whole ring')
        }
        assert.deepEqual(overlay.neighborSet(5), [])
      },
    },
    {
      title: 'a node that joins takes over its keys, and a node that leaves gives them back',
      run: async (context) => {
        const { network } = context
        const [joiner] = (await network.add(1)) as [KbrMember]
        await settle(context)
        await assertAllArrive(context, [joiner.self.id, ...someKeys(context, 4, 6)])
        await network.leave(joiner)
        assert(!network.members.includes(joiner))
        await settle(context)
        await assertAllArrive(context, [joiner.self.id, ...someKeys(context, 4, 6)])
      },
    },
    {
      title: 'nodes that join at the same moment all become members, each with its keys',
      run: async (context) => {
        const { network } = context
        const joiners = await network.add(Math.min(12, Math.max(3, network.members.length)))
        assert.equal(new Set(network.members.map(({ self }) => self.id)).size, network.members.length)
        await settle(context)
        await assertAllArrive(
          context,
          joiners.map(({ self }) => self.id),
        )
        await assertEverything(context)
        await network.crash(joiners)
        await settle(context)
      },
    },
    {
      title: 'when nodes crash, all at once, the others take over their keys: replica sets and ranges are exact again',
      from: 3,
      run: async (context) => {
        const { network, prng } = context
        const victims = prng.shuffle(network.members).slice(0, Math.max(1, Math.floor(network.members.length / 4)))
        await network.crash(victims)
        await settle(context)
        await assertAllArrive(context, [...victims.map(({ self }) => self.id), ...someKeys(context, 4, 6)])
        await assertEverything(context)
        for (const victim of victims) await network.restart(victim)
        await settle(context)
        await assertEverything(context)
      },
    },
    {
      title: 'the node that remains when the other crashes or leaves owns everything',
      from: 2,
      upTo: 2,
      run: async (context) => {
        const { network } = context
        for (const end of ['crash', 'leave'] as const) {
          const [stays, goes] = network.members as [KbrMember, KbrMember]
          if (end === 'crash') await network.crash([goes])
          else await network.leave(goes)
          await settle(context)
          assert.deepEqual(stays.overlay.neighborSet(5), [])
          await assertAllArrive(context, someKeys(context, 3, 3))
          await network.restart(goes)
          await settle(context)
        }
      },
    },
    {
      title: 'a node that starts again under its id is known by its new incarnation, whether it was missed or not',
      from: 2,
      run: async (context) => {
        const { network, prng } = context
        for (const missed of [false, true]) {
          const old = prng.pick(network.members)!
          await network.crash([old])
          if (missed) await settle(context)
          const again = await network.restart(old)
          assert.equal(again.self.id, old.self.id)
          assert(again.self.epoch > old.self.epoch, 'a new incarnation has a higher epoch')
          await settle(context)
          // Not its id, which is another's where ids only say where a node begins, as in a CAN.
          const own = [old.self.id, ...someKeys(context, 64, Infinity)].find((key) => rootOf(context, key) === again)
          assert(own !== undefined, 'it answers for some keys')
          await assertAllArrive(context, [own])
          await assertEverything(context)
        }
      },
    },
    {
      title: 'update tells of every neighbour that comes or goes, of no other, and of each change once',
      run: async (context) => {
        const { network } = context
        assertUpdates(context)
        const joiners = await network.add(2)
        await settle(context)
        assertUpdates(context)
        for (const joiner of joiners) {
          const knowers = network.members.filter(({ overlay }) => overlay.neighborSet(allNeighbors).some(({ id }) => id === joiner.self.id))
          assert(knowers.length > 0, `nobody has ${shortGuid(joiner.self.id)} for a neighbour`)
        }
        await network.crash([joiners[0]!])
        await network.leave(joiners[1]!)
        await settle(context)
        assertUpdates(context)
      },
    },
    {
      title: 'routesChanged is called before a message takes another way than it did',
      run: async (context) => {
        const { network, prng } = context
        const keys = Array.from({ length: 60 }, () => anyKey(network, prng))
        let changes = 0
        for (const change of [() => network.add(2), () => network.crash(network.members.slice(-2))]) {
          const before = new Map(
            network.members.map((member) => [member, { ways: waysOf(member, keys), calls: member.probe.routesChanges }]),
          )
          await change()
          await settle(context)
          for (const [member, { ways, calls }] of before) {
            if (!network.members.includes(member) || waysOf(member, keys).join() === ways.join()) continue
            changes++
            assert(
              member.probe.routesChanges > calls,
              `at ${shortGuid(member.self.id)} the next hop of some key changed, and routesChanged was not called`,
            )
          }
        }
        assert(changes > 0, 'no next hop changed although nodes came and went')
      },
    },
  ]
  return cases.map((each) => ({ ...each, changes: true }))
}

/** Cut in two, and whole again. Only on a driver that can cut. */
export function partitionCases(has: OverlayAbilities): KbrCase[] {
  const halves = ({ network, prng }: KbrContext): [KbrMember[], KbrMember[]] => {
    const shuffled = prng.shuffle(network.members)
    const middle = shuffled.length >> 1
    return [shuffled.slice(0, middle), shuffled.slice(middle)]
  }
  const cut: KbrCase = {
    title: 'both halves of a network that is cut are networks of their own, where every key has a root',
    from: 2,
    changes: true,
    run: async (context) => {
      const { network } = context
      const [one, other] = halves(context)
      network.cut!(one)
      for (const half of [one, other]) {
        await settle(context, half)
        const side = among(context, half)
        await assertAllArrive(side, someKeys(side, 3, 3))
      }
      network.heal!()
      if (has.heals) await settle(context)
    },
  }
  if (!has.heals)
    return [
      cut,
      { title: 'declares: halves that were cut from each other do not become one network again by themselves', run: async () => {} },
    ]
  return [
    cut,
    {
      title: 'two halves become one network again after minutes apart, and with nodes that have come and gone meanwhile',
      from: 4,
      changes: true,
      run: async (context) => {
        const { network } = context
        const [one, other] = halves(context)
        network.cut!(one)
        await settle(context, one)
        await settle(context, other)
        await network.crash([one[0]!])
        await network.leave(other[0]!)
        await settle(context, one.slice(1))
        network.heal!()
        await settle(context)
        await assertAllArrive(context, someKeys(context, 6, 6))
        await assertEverything(context)
        for (const gone of [one[0]!, other[0]!]) await network.restart(gone)
        await settle(context)
      },
    },
  ]
}

/** Replica sets, ranges and updates agree with the truth. */
export async function assertEverything(context: KbrContext): Promise<void> {
  for (const key of someKeys(context, 6, 12)) assertReplicaSets(context, key)
  if (context.has.ranges !== false) assertRanges(context)
  assertUpdates(context)
  for (const { overlay } of context.network.members) overlay.assertInvariants()
}

/** The neighbours that `update` has told of are those that `neighborSet` names. */
function assertUpdates({ network }: KbrContext): void {
  for (const { overlay, probe, self } of network.members) {
    const told = [...probe.neighbors.keys()].toSorted()
    const named = overlay.neighborSet(allNeighbors).map(({ id }) => id)
    assert.deepEqual(told, named.toSorted(), `the neighbours of ${shortGuid(self.id)}: told by update, and named by neighborSet`)
  }
}

function waysOf({ overlay }: KbrMember, keys: readonly Guid[]): string[] {
  return keys.map((key) => {
    const next = overlay.nextHop(key, 0, new Set())
    return next.action === 'forward' ? next.to.id : next.action
  })
}
