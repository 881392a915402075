import type { AppEffects, Millis, Question } from '@plaxton/kbr'
import { keyProbeBytes } from './claims.ts'
import type { Errands, Then } from './errands.ts'

/** This node's own key: asked for once, by having it sign something that means nothing. */
export class Owner {
  private readonly errands: Errands
  /** Ed25519, 32 bytes; undefined until it is known. */
  publicKey: Uint8Array | undefined = undefined

  constructor(errands: Errands) {
    this.errands = errands
  }

  /** `then` gets the public key of `signer`, by default this node's own, or undefined when the node cannot sign with it. */
  withKey(signer: string | undefined, now: Millis, fx: AppEffects, then: Then<Uint8Array | undefined>): void {
    if (signer === undefined && this.publicKey !== undefined) return then(this.publicKey, now, fx)
    this.errands.ask(signing(keyProbeBytes, signer), fx, (answer, time, effects) => {
      const publicKey = answer.kind === 'signed' ? answer.publicKey : undefined
      if (signer === undefined) this.publicKey = publicKey
      then(publicKey, time, effects)
    })
  }
}

/** Asks for a signature by `signer`, or by this node's own key. */
export function signing(message: Uint8Array, signer: string | undefined): Question {
  return signer === undefined ? { kind: 'sign', message } : { kind: 'sign', message, signer }
}
