import { AlreadyExistsError, InvalidValueError, NotFoundError } from '@plaxton/kbr'
import { namedGuid } from '@plaxton/past'
import { decodeRecord, encodeRecord, maxRecordKeyBytes, maxRecordValueBytes, recordKeyOf, recordName, recordSigner } from './records.ts'
import { callOptions } from './routing-results.ts'
import type { ContentRouting, RoutingOptions } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, PutOptions } from '@plaxton/kbr'
import type { SignerOptions } from '@plaxton/runtime'

/** Of PAST, what records need. */
export interface RecordStore {
  put(guid: Guid, data: Uint8Array, options: PutOptions & SignerOptions): Promise<unknown>
  get(guid: Guid, options: CallOptions): Promise<Uint8Array>
  remove(guid: Guid, options: CallOptions & SignerOptions): Promise<unknown>
}

/** Rounds of removing and putting, when several nodes replace one record at the same time. */
const maxRounds = 4

/**
 * libp2p's content routing on PAST: `put` and `get`. `put` replaces what was there; for a moment in between there is nothing, and of
 * two that replace at the same time either may win. Providers are the business of object location: see `provider-routing.ts`. libp2p asks each
 * service that carries the symbol for the methods it has.
 */
export function recordRouting(store: RecordStore): Partial<ContentRouting> {
  return {
    async put(key: Uint8Array, value: Uint8Array, options: RoutingOptions = {}): Promise<void> {
      if (value.length > maxRecordValueBytes) throw new InvalidValueError('value', value, `at most ${maxRecordValueBytes} bytes`)
      const guid = await recordGuid(key)
      const call = { ...callOptions(options), signer: recordSigner(key) }
      const record = encodeRecord(key, value)
      for (let round = 1; ; round++) {
        try {
          await store.put(guid, record, { ...call, name: recordName })
          return
        } catch (error) {
          if (!(error instanceof AlreadyExistsError) || round === maxRounds) throw error
        }
        await store.remove(guid, call).catch((error: unknown) => {
          if (!(error instanceof NotFoundError)) throw error
        })
      }
    },

    async get(key: Uint8Array, options: RoutingOptions = {}): Promise<Uint8Array> {
      return decodeRecord(await store.get(await recordGuid(key), callOptions(options)), key)
    },
  }
}

async function recordGuid(key: Uint8Array): Promise<Guid> {
  if (!(key instanceof Uint8Array) || key.length === 0 || key.length > maxRecordKeyBytes) {
    throw new InvalidValueError('key', key, `1 to ${maxRecordKeyBytes} bytes`)
  }
  const owner = await recordKeyOf(recordSigner(key))
  return namedGuid(recordName, (owner as NonNullable<typeof owner>).publicKey)
}
