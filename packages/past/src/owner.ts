import type { AppEffects, Millis } from '@plaxton/kbr'
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

  /** `then` gets the public key, or undefined when the node cannot sign. */
  withKey(now: Millis, fx: AppEffects, then: Then<Uint8Array | undefined>): void {
    if (this.publicKey !== undefined) return then(this.publicKey, now, fx)
    this.errands.ask({ kind: 'sign', message: keyProbeBytes }, fx, (answer, time, effects) => {
      if (answer.kind === 'signed') this.publicKey = answer.publicKey
      then(this.publicKey, time, effects)
    })
  }
}
