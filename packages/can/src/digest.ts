import type { Claim } from './claim.ts'
import type { Surroundings } from './messages.ts'

/** What was worked out before, by the list of others, which is one to everybody who is told the same. */
const known = new WeakMap<object, { readonly of: Surroundings; readonly digest: number }>()

/** A number of 32 bits that two nodes compare instead of the surroundings themselves (FNV-1a); never 0. */
export function digestOf(surroundings: Surroundings): number {
  const { claims, groups, others } = surroundings
  const before = known.get(others)
  if (before?.of.claims === claims && before.of.groups === groups) return before.digest
  const digest = workOut(surroundings)
  known.set(others, { of: { claims, groups, others }, digest })
  return digest
}

function workOut({ claims, groups, others }: Surroundings): number {
  let hash = ofClaims(0x811c9dc5, claims)
  for (const group of groups) hash = ofText(hash, `${group};`)
  for (const { node, claims: theirs } of others) hash = ofClaims(ofText(hash, `${node.id}${node.epoch}:`), theirs)
  return hash >>> 0 || 1
}

function ofClaims(hash: number, claims: readonly Claim[]): number {
  let result = hash
  for (const { zone, version, caretaker } of claims) result = ofText(result, `${zone}/${version}${caretaker ? '?' : '!'}`)
  return result
}

function ofText(hash: number, text: string): number {
  let result = hash
  for (let i = 0; i < text.length; i++) result = Math.imul(result ^ text.charCodeAt(i), 0x01000193)
  return result
}
