import assert from 'node:assert/strict'
import { randomGuid, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Millis, Prng, Reply, RouteOptions } from '@plaxton/kbr'
import type { RoutingConfig } from '@plaxton/routing'
import { boundariesOf, ranksOf, rootOf } from './kbr-network.ts'
import type { KbrContext, KbrMember, KbrNetwork } from './kbr-network.ts'
import type { Upcall } from './kbr-probe.ts'
import { bytesText, newTag } from './kbr-probe.ts'

/** What became of one routed message. */
export interface Sent {
  readonly from: KbrMember
  readonly key: Guid
  readonly payload: Uint8Array
  readonly reply: Reply
  /** All upcalls it caused, on whichever node, in order. */
  readonly upcalls: readonly Upcall[]
}

/** A message to be sent. */
export interface Letter extends Omit<RouteOptions, 'replyWithinMs'> {
  readonly from: KbrMember
  readonly key: Guid
}

/** Longest wait for a reply, on any driver. A second attempt by another way may be part of it. */
export const replyMs: Millis = 30_000

/**
 * The walking's configuration on networks whose upcalls are looked at: a source tries again by another way after this time at the earliest, so
 * that the pauses of a busy machine cause no second way.
 */
export const patientRouting: Partial<RoutingConfig> = { retryMinMs: 3_000 }

/** Routes messages that want replies, all at once; resolves when each has its outcome. */
export async function sendAll(network: KbrNetwork, all: readonly Letter[]): Promise<Sent[]> {
  const open = all.map(({ from, key, ...options }) => {
    const payload = newTag()
    const id = from.command((fx) => fx.route(key, payload, { ...options, replyWithinMs: replyMs }))
    return { from, key, payload, id }
  })
  const missing = () => open.filter(({ from, id }) => !from.probe.replies.has(id))
  await network.until(
    () => missing().length === 0,
    () => `${missing().length} of ${open.length} replies`,
    replyMs + 2_000,
  )
  return open.map(({ from, key, payload, id }) => ({
    from,
    key,
    payload,
    reply: from.probe.replies.get(id)!,
    upcalls: network.journal.of(payload),
  }))
}

/** The same for one. */
export async function send(network: KbrNetwork, letter: Letter): Promise<Sent> {
  return (await sendAll(network, [letter]))[0]!
}

/** Throws unless the message was delivered once, at the root, as it was sent, and answered from there. */
export function assertArrived(context: KbrContext, { from, key, payload, reply, upcalls }: Sent, expected = payload): void {
  const root = rootOf(context, key).self.id
  const name = `a message for ${key} from ${shortGuid(from.self.id)}`
  const deliveries = upcalls.filter(({ kind }) => kind === 'deliver')
  assert.deepEqual(
    deliveries.map(({ at }) => at.id),
    [root],
    `${name} was not delivered once, at its root${reply.ok ? '' : ` (${reply.failure.reason}: ${reply.failure.detail})`}`,
  )
  assert.equal(deliveries[0]!.key, key, `${name} was delivered under another key`)
  assert.deepEqual(deliveries[0]!.payload, expected, `${name} was delivered with another payload`)
  assert(reply.ok, `${name} was delivered, but its reply was lost`)
  assert.equal(bytesText(reply.payload), root, `${name} was answered by another node than its root`)
}

/** Every member sends to every one of `keys`; throws unless all arrives as it should. */
export async function assertAllArrive(context: KbrContext, keys: readonly Guid[], senders = context.network.members): Promise<void> {
  const { network } = context
  const sent = await sendAll(
    network,
    keys.flatMap((key) => senders.map((from) => ({ from, key }))),
  )
  for (const each of sent) assertArrived(context, each)
  assert.deepEqual(network.journal.wrongs, [])
}

/** Random keys, and keys where responsibility changes. */
export function someKeys(context: KbrContext, random: number, boundaries: number): Guid[] {
  const { network, prng } = context
  return [...Array.from({ length: random }, () => anyKey(network, prng)), ...prng.shuffle(boundariesOf(context)).slice(0, boundaries)]
}

/** A random key as wide as the ids of the network. */
export function anyKey(network: KbrNetwork, prng: Prng): Guid {
  return randomGuid(prng, 4 * network.members[0]!.self.id.length)
}

/** A random key of which `member` is not the root. */
export function foreignKey(context: KbrContext, member: KbrMember): Guid {
  for (let tries = 0; tries < 1_000; tries++) {
    const key = anyKey(context.network, context.prng)
    if (ranksOf(context, key, 1)[0] !== member.self.id) return key
  }
  // Nearly all of the ring is its own; the id of another node is not.
  return context.network.members.find((other) => other !== member)!.self.id
}
