/** What the benches use of hyperdht, which comes without types. */
declare module 'hyperdht' {
  interface KeyPair {
    readonly publicKey: Uint8Array
    readonly secretKey: Uint8Array
  }

  interface Query extends AsyncIterable<{ readonly peers?: readonly unknown[] }> {
    finished(): Promise<void>
  }

  export default class HyperDht {
    static keyPair(): KeyPair
    readonly defaultKeyPair: KeyPair
    constructor(options: { ephemeral: boolean; firewalled: boolean; bootstrap: readonly { host: string; port: number }[]; host: string })
    fullyBootstrapped(): Promise<void>
    address(): { readonly port: number }
    immutablePut(value: Uint8Array): Promise<{ readonly hash: Uint8Array }>
    immutableGet(target: Uint8Array): Promise<{ readonly value: Uint8Array } | null>
    announce(target: Uint8Array, keyPair: KeyPair): Query
    lookup(target: Uint8Array): Query
    destroy(options: { force: boolean }): Promise<void>
  }
}
