import type { Claim } from './claim.ts'
import type { Surroundings } from './messages.ts'

/** A number of 32 bits that stands for the surroundings when two nodes compare what they know (FNV-1a); never 0. Worked out by whoever tells of them. */
export function digestOf({ claims, groups, shared, others }: Omit<Surroundings, 'digest'>): number {
  let hash = ofClaims(0x811c9dc5, claims)
  for (const group of groups) hash = ofText(hash, `${group};`)
  for (const zone of shared) hash = ofText(hash, `${zone},`)
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
