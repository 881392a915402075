import { digitAt, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { VirtualNetwork } from '@plaxton/testbed'
import type { VirtualHost } from '@plaxton/testbed'
import { tapestry, tapestryDefaults } from '../src/index.ts'
import type { TapestryConfig, TapestryNode } from '../src/index.ts'

export type TestHost = VirtualHost<TapestryNode>

export class TestNetwork extends VirtualNetwork<TapestryNode> {
  readonly config: Partial<TapestryConfig>

  constructor(seed: number | string, config: Partial<TapestryConfig> = {}) {
    const factory = tapestry(config)
    super(seed, (self, prng) => factory.create(self, prng) as TapestryNode, 128)
    this.config = config
  }

  /** Complaints about false holes and sibling groups. */
  complaints(): string[] {
    const config = { ...tapestryDefaults, ...this.config }
    const ids = this.members().map(({ ref }) => ref.id)
    return this.members().flatMap((host) => [...holesOf(host, ids, config.digitBits), ...groupOf(host, ids, config)])
  }
}

function holesOf({ ref, node }: TestHost, ids: readonly Guid[], digitBits: number): string[] {
  return ids.flatMap((id) => {
    if (id === ref.id) return []
    const level = sharedPrefixDigits(id, ref.id, digitBits)
    const slot = node.slot(level, digitAt(id, level, digitBits))
    return slot.some((other) => ids.includes(other.id)) ? [] : [`${ref.id.slice(0, 6)} has a hole for ${id.slice(0, 6)}`]
  })
}

/** Siblings, and whoever has this node as a sibling. */
function groupOf({ ref, node }: TestHost, ids: readonly Guid[], { digitBits, siblingsMin }: TapestryConfig): string[] {
  const shares = (id: Guid, other: Guid): number => sharedPrefixDigits(id, other, digitBits)
  const levelOf = (id: Guid): number => {
    let level = 0
    while (ids.filter((other) => shares(id, other) > level).length >= siblingsMin) level++
    return level
  }
  const own = levelOf(ref.id)
  const found = new Set(node.neighborSet(Infinity).map(({ id }) => id))
  const wanted = ids.filter((id) => id !== ref.id && (shares(id, ref.id) >= own || shares(id, ref.id) >= levelOf(id)))
  const missing = wanted.filter((id) => !found.has(id)).length
  const surplus = [...found].filter((id) => !wanted.includes(id)).length
  return missing + surplus === 0 ? [] : [`${ref.id.slice(0, 6)} misses ${missing} neighbours and has ${surplus} too many`]
}
