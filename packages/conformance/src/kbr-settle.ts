import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KbrContext, KbrMember } from './kbr-network.ts'
import { allNeighbors, among, boundariesOf, memberOf, ranksOf } from './kbr-network.ts'

/** Far more hops than any route of the networks here takes. */
const mostHops = 64

/**
 * Lets time pass until `members`, all by default, agree on who is responsible for what, and their neighbours stay the same for a while. Rejects with the
 * first disagreement when that does not come about.
 */
export async function settle(context: KbrContext, members = context.network.members): Promise<void> {
  const { network } = context
  const deadline = network.now() + network.patienceMs
  // Asked again and again for a sample, and in the end for all: a zone that nobody has taken over yet has two boundaries among very many.
  let keys = context.prng.shuffle(boundariesOf(context, members)).slice(0, sampledKeys)
  for (;;) {
    let last = ''
    const agreed = () => (last = disagreement(among(context, members), keys) ?? '') === ''
    await network.until(agreed, () => `agreement of ${members.length} nodes: ${last}`, Math.max(0, deadline - network.now()))
    const before = neighborhoods(members)
    const quietAt = network.now() + network.quietMs
    await network.until(() => network.now() >= quietAt, 'quiet', 2 * network.quietMs + 1_000)
    keys = boundariesOf(context, members)
    if (agreed() && neighborhoods(members) === before) return
  }
}

/** Our guess: enough that most who wait wait for something they see. */
const sampledKeys = 24

function neighborhoods(members: readonly KbrMember[]): string {
  return members
    .map(({ overlay }) =>
      overlay
        .neighborSet(allNeighbors)
        .map(({ id }) => id)
        .toSorted()
        .join(),
    )
    .join(';')
}

/** What one of the members believes that is not so, or undefined. Nobody is sent anything: the overlays are asked. */
function disagreement(context: KbrContext, keys: readonly Guid[]): string | undefined {
  const { members } = context.network
  const running = new Map(members.map(({ self }) => [self.id, self.epoch]))
  for (const { overlay, self } of members) {
    if (!overlay.ready) return `${shortGuid(self.id)} is not ready`
    for (const neighbor of overlay.neighborSet(allNeighbors)) {
      if (running.get(neighbor.id) !== neighbor.epoch)
        return `${shortGuid(self.id)} has ${shortGuid(neighbor.id)} for a neighbour, which is gone`
    }
  }
  for (const key of keys) {
    const root = ranksOf(context, key, 1)[0]!
    for (const from of members) {
      const end = walk(context, from, key)
      if (end !== root)
        return `a message for ${shortGuid(key)} from ${shortGuid(from.self.id)} would end ${end === undefined ? 'nowhere' : `at ${shortGuid(end)}`}`
    }
    const named = memberOf(context, root)
      .overlay.replicaSet(key, 2)
      .map(({ id }) => id)
    if (named.join() !== ranksOf(context, key, 2).join())
      return `the root of ${shortGuid(key)} names ${named.map(shortGuid).join(', ')} for its replicas`
  }
  return undefined
}

/** Where a message would end, following the overlays' next hops past those that are gone; undefined when it would not. */
function walk({ network }: Pick<KbrContext, 'network'>, from: KbrMember, key: Guid): Guid | undefined {
  const avoid = new Set<Guid>()
  let at = from
  let cursor = 0
  for (let hops = 0; hops < mostHops; hops++) {
    const next = at.overlay.nextHop(key, cursor, avoid)
    if (next.action === 'deliver') return at.self.id
    if (next.action !== 'forward') return undefined
    const to = network.members.find(({ self }) => self.id === next.to.id)
    if (to !== undefined) {
      at = to
      cursor = next.cursor
    } else if (avoid.has(next.to.id)) return undefined
    else avoid.add(next.to.id)
  }
  return undefined
}
