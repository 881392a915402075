import assert from 'node:assert/strict'
import { onSimulator } from '@plaxton/conformance'
import { DolrNode } from '@plaxton/dolr'
import { guidOf } from '@plaxton/guid'
import { DolrClient } from '@plaxton/runtime'
import { overlayNamed } from '../src/over.ts'
import { SharingOverDolr } from '../src/over-dolr.ts'
import { fileNameOf, printable } from '../src/sharing.ts'
import type { ServiceNetwork } from '@plaxton/conformance'
import type { SharedFile } from '@plaxton/runtime'

const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => (i * 31 + (i >> 8)) & 255)
const song = { guid: guidOf(bytes), name: 'blue train.flac', size: bytes.length }

/** How somebody serves the file. */
const read = {
  well: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  wrongly: async (_offset: number, length: number) => new Uint8Array(length),
  never: () => new Promise<Uint8Array>(() => {}),
  not: async () => Promise.reject(new Error('the disk is on fire')),
}

/** Says well what the file is, and then sends something else. */
function wellAtFirst(): SharedFile['read'] {
  let pieces = 0
  return async (offset, length) => (++pieces <= 3 ? bytes.subarray(offset, offset + length) : new Uint8Array(length))
}

async function network(count: number): Promise<ServiceNetwork<SharingOverDolr>> {
  const overlay = (await overlayNamed('pastry'))!
  return onSimulator<SharingOverDolr>({
    seed: 1,
    overlay: () => overlay,
    service: (prng) => {
      const application = new DolrNode({}, prng)
      return { application, client: (host) => new SharingOverDolr(new DolrClient(host, application)) }
    },
  })(count)
}

describe('a file over an overlay, offered by strangers', function () {
  this.timeout(120_000)

  const liars: Readonly<Record<string, readonly SharedFile[]>> = {
    'other bytes': [{ ...song, read: read.wrongly }],
    'a file of another size': [{ ...song, size: 17, read: read.wrongly }],
    'no bytes, because they cannot be read': [{ ...song, read: read.not }],
    'no bytes, without a word': [{ ...song, read: read.never }],
    'what it is, and then other bytes': [{ ...song, read: wellAtFirst() }],
  }
  for (const [what, [file]] of Object.entries(liars)) {
    it(`is fetched whole when others send ${what}`, async () => {
      const net = await network(8)
      const { nodes } = net
      const got = await net.drive!(async () => {
        for (const { service } of nodes.slice(0, 3)) await service.share([file!])
        await nodes[3]!.service.share([{ ...song, read: read.well }])
        // Whoever is nearest to one of them has a liar next to it.
        return Promise.all(nodes.slice(4).map(({ service }) => service.fetch(song.guid, { offer: false })))
      })
      for (const each of got) assert.equal(Buffer.compare(each.bytes, bytes), 0)
      await net.close()
    })
  }

  it('is not fetched, and that is said, when nobody has it', async () => {
    const net = await network(4)
    const { nodes } = net
    await net.drive!(async () => {
      await nodes[0]!.service.share([{ ...song, read: read.wrongly }])
      await assert.rejects(nodes[1]!.service.fetch(song.guid), /none of those who host the file sent all of it/)
      assert.deepEqual(
        (await nodes[2]!.service.search('blue')).map(({ hosts }) => hosts),
        [1],
      )
    })
    await net.close()
  })
})

describe('a name from a stranger', () => {
  it('leads to no other folder, hides nothing, and never is nothing', () => {
    const names = {
      '../../etc/passwd': 'passwd',
      '..\\..\\autoexec.bat': 'autoexec.bat',
      '/etc/cron.d/job': 'job',
      '.profile': 'profile',
      '..': 'unnamed',
      '': 'unnamed',
      '../': 'unnamed',
      'songs/': 'songs',
      'a\u0000b': 'a\ufffdb',
    }
    for (const [name, kept] of Object.entries(names)) assert.equal(fileNameOf(name), kept, JSON.stringify(name))
  })

  it('gives a terminal no orders and does not read from right to left', () => {
    assert.equal(printable('\u001b[2J\r\nsong\u202egpj.exe'), '\ufffd[2J\ufffd\ufffdsong\ufffdgpj.exe')
    assert.equal(printable('x'.repeat(1_000)).length, 120)
  })
})
