import type { Answer, Question } from '@plaxton/kbr'
import { verifyEd25519 } from './crypto.ts'
import type { ApplicationPorts } from './ports.ts'

/**
 * The world's answer to one question of `application`. Never rejects: whatever goes wrong is a `failed` answer. Keys are kept apart by the
 * application's name, so that several may share one store.
 */
export async function answerTo(question: Question, application: string, ports: ApplicationPorts | undefined): Promise<Answer> {
  if (ports === undefined) return { kind: 'failed', reason: `application ${application} has no store and no key` }
  try {
    return await answer(question, `${application}/`, ports)
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

async function answer(question: Question, space: string, ports: ApplicationPorts): Promise<Answer> {
  const { store } = ports
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
      const { signer } = question
      const key = signer === undefined ? ports.key : await ports.signer?.(signer)
      if (key === undefined) return { kind: 'failed', reason: `there is no key named ${signer}` }
      return { kind: 'signed', signature: await key.sign(question.message), publicKey: key.publicKey }
    }
    case 'verify':
      return { kind: 'verified', valid: await verifyEd25519(question.publicKey, question.message, question.signature) }
  }
}
