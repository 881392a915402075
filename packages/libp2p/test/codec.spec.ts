import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { decode, toProto } from '@plaxton/wire'
import { decodeHello, helloSchema } from '../src/hello.ts'
import { reportSchema } from '../src/peer-lookup.ts'
import { decodeRecord, recordSchema } from '../src/records.ts'
import type { RefReader } from '@plaxton/kbr'

const anyone: RefReader = (id, address, epoch) => ({ id, address, epoch })

describe("the binding's own messages", () => {
  it('have the specification that is committed; `UPDATE=1` writes it', () => {
    const file = new URL('../src/link.proto', import.meta.url)
    const schemas = [helloSchema, reportSchema, recordSchema]
    const proto = `// The messages of the libp2p binding. Generated: UPDATE=1 mocha test/codec.spec.ts\n${toProto(schemas, 'plaxton.libp2p')}`
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })

  const decoders: Array<[string, (bytes: Uint8Array) => unknown]> = [
    ['hello', (bytes) => decodeHello(bytes, anyone)],
    ['report', (bytes) => decode(reportSchema, bytes, { ref: anyone })],
    ['record', (bytes) => decodeRecord(bytes, Uint8Array.of(1))],
  ]
  for (const [name, decoder] of decoders) {
    it(`never end otherwise than in a value or a named error, whatever the bytes of a ${name}`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          try {
            decoder(bytes)
          } catch (error) {
            assert.ok(error instanceof Error && 'code' in error && typeof error.code === 'string', String(error))
          }
        }),
        { numRuns: 3000 },
      )
    })
  }
})
