import { guidFromBytes, guidOf } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import { callMs, replicas } from '../system.ts'
import type { Guid } from '@plaxton/guid'
import type { Dht, Dolr } from '@plaxton/kbr'
import type { Network } from '../system.ts'

/** What a node of ours is called through, whatever carries its frames. */
export interface Services {
  readonly past: Dht
  readonly dolr: Dolr
}

/** PAST for values and DOLR for providers. */
export abstract class PlaxtonNetwork implements Network {
  abstract add(): Promise<number>
  abstract kill(at: number): Promise<void>
  abstract connections(): number
  protected abstract services(at: number): Services

  async put(at: number, value: Uint8Array): Promise<Guid> {
    const { guid } = await this.services(at).past.put(guidOf(value), value, { replicas, timeoutMs: callMs })
    return guid
  }

  get(at: number, key: Guid): Promise<Uint8Array | undefined> {
    return this.services(at).past.get(key, { timeoutMs: callMs }).catch(unlessNotFound)
  }

  provide(at: number, topic: Uint8Array): Promise<void> {
    return this.services(at).dolr.publish(guidFromBytes(topic), { timeoutMs: callMs })
  }

  async find(at: number, topic: Uint8Array): Promise<boolean> {
    const hosts = await this.services(at).dolr.locate(guidFromBytes(topic), 1, { timeoutMs: callMs }).catch(unlessNotFound)
    return hosts !== undefined && hosts.length > 0
  }
}

/** Not to be found is an answer; everything else is an error. */
function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error
}
