import type { Answer, Question } from '@plaxton/kbr'
import { verifyEd25519 } from './crypto.ts'
import type { Link } from './link.ts'
import type { ApplicationPorts, KeyPort } from './ports.ts'

/** Who answers what a node asks of its own id and of others'. */
type Identities = Pick<Link, 'key' | 'isKeyOf'>

/**
 * The world's answer to one question of `application`. Never rejects: whatever goes wrong is a `failed` answer. Keys are kept apart by the
 * application's name, so that several may share one store.
 */
export async function answerTo(
  question: Question,
  application: string,
  ports: ApplicationPorts | undefined,
  identities: Identities,
): Promise<Answer> {
  try {
    switch (question.kind) {
      case 'verify':
        return await verdict(question)
      case 'sign-as-node':
        return await signed(await identities.key(), question.message)
      case 'verify-node':
        if (!identities.isKeyOf(question.node, question.publicKey)) return { kind: 'verified', valid: false }
        return await verdict(question)
      default:
        if (ports === undefined) return { kind: 'failed', reason: `application ${application} has no store and no key` }
        return await answerOf(ports, question, `${application}/`)
    }
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

type PortQuestion = Extract<Question, { kind: 'read' | 'write' | 'list' | 'sign' }>

async function answerOf({ store, key: ownKey, signer }: ApplicationPorts, question: PortQuestion, space: string): Promise<Answer> {
  switch (question.kind) {
    case 'read':
      return { kind: 'read', bytes: await store.read(space + question.key) }
    case 'write':
      await store.write(question.entries.map(([name, bytes]) => [space + name, bytes] as const))
      return { kind: 'written' }
    case 'list': {
      const entries = await store.list(space + question.prefix)
      return { kind: 'listed', entries: entries.map(([name, bytes]) => [name.slice(space.length), bytes] as const) }
    }
    case 'sign': {
      const key = question.signer === undefined ? ownKey : await signer?.(question.signer)
      if (key === undefined) return { kind: 'failed', reason: `there is no key named ${question.signer}` }
      return await signed(key, question.message)
    }
  }
}

async function signed(key: KeyPort, message: Uint8Array): Promise<Answer> {
  return { kind: 'signed', signature: await key.sign(message), publicKey: key.publicKey }
}

async function verdict({ publicKey, message, signature }: Extract<Question, { kind: 'verify' | 'verify-node' }>): Promise<Answer> {
  return { kind: 'verified', valid: await verifyEd25519(publicKey, message, signature) }
}
