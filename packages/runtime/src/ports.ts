import type { StoreEntry } from '@plaxton/kbr'

/**
 * Where an application keeps what must outlive the process. {@link openStore} and {@link memoryStore} make one; {@link datastoreStore}
 * turns any `interface-datastore` into one.
 *
 * All calls reject with a plain `Error` when the store fails or is closed; the host turns that into a `failed` answer.
 */
export interface StorePort {
  /** The bytes under `key`. Sees every write that was answered before; of the others, it may see any. */
  read(key: string): Promise<Uint8Array | undefined>
  /**
   * Writes `entries` in order, `undefined` erasing; resolves once all are durable. After a crash a prefix of them may have been
   * applied. Two writes to one key take effect in the order of the calls.
   */
  write(entries: readonly StoreEntry[]): Promise<void>
  /** Every entry whose key starts with `prefix`, keys ascending. All in memory at once: for small values. */
  list(prefix: string): Promise<Array<readonly [key: string, bytes: Uint8Array]>>
  /** Waits for writes under way, then lets go of the resources. */
  close(): Promise<void>
}

/** The owner's key: what an application signs with. {@link ed25519Key} makes one from a seed. */
export interface KeyPort {
  /** Ed25519, 32 raw bytes. */
  readonly publicKey: Uint8Array
  /** The Ed25519 signature of `message`, 64 raw bytes. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** What one application is given of the world. */
export interface ApplicationPorts {
  /** May be shared by several applications: the host keeps their keys apart by name. Closed by whoever opened it. */
  readonly store: StorePort
  readonly key: KeyPort
  /** Other keys the application may sign with, by name; undefined when there is none of that name. */
  readonly signer?: (name: string) => KeyPort | undefined | Promise<KeyPort | undefined>
}
