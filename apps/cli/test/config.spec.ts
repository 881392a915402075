import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { controlPath, defaultDataDirectory, socketAddress } from '../src/control/address.ts'
import { daemonConfig } from '../src/daemon/config.ts'
import { isLoopback, portCameTo } from '../src/daemon/listen.ts'
import { overlayNames } from '../src/overlays.ts'
import { temporaryFolder } from './support/temporary.ts'
import type { PastryConfig } from '@plaxton/pastry'

describe('the configuration of a node', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeEach(async () => {
    folder = await temporaryFolder()
  })
  afterEach(() => folder.remove())

  async function file(content: unknown): Promise<string> {
    const path = join(folder.path, 'plaxton.json')
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }

  it('has defaults: reachable from this computer only, joining nobody', async () => {
    const { overlay, ...config } = await daemonConfig({ data: 'here' })
    assert.equal(overlay.name, 'pastry')
    assert.deepEqual(config, {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [],
      data: resolve('here'),
      control: join(resolve('here'), 'control.sock'),
      network: 'default',
      virtualNodes: 1,
      puzzleBits: 0,
      past: {},
      dolr: {},
    })
  })

  it('comes from the file, with paths from where the file is', async () => {
    const config = await daemonConfig({
      config: await file({
        listen: ['/ip4/0.0.0.0/tcp/4001'],
        data: 'data',
        network: 'lab',
        past: { capacityBytes: 1000 },
        pastry: { leafSetSize: 8 },
      }),
    })
    assert.deepEqual(config.listen, ['/ip4/0.0.0.0/tcp/4001'])
    assert.equal(config.data, join(folder.path, 'data'))
    assert.equal(config.control, join(folder.path, 'data', 'control.sock'))
    assert.equal(config.network, 'lab')
    assert.deepEqual(config.past, { capacityBytes: 1000 })
    const self = { id: guidOf(new Uint8Array()), address: 'here', epoch: 0 }
    const node = config.overlay.create(self, Prng.fromSeed(0)) as unknown as { state: { config: PastryConfig } }
    assert.equal(node.state.config.leafSetSize, 8)
  })

  it('names any overlay there is, by flag or by file', async () => {
    for (const name of overlayNames) {
      assert.equal((await daemonConfig({ overlay: name })).overlay.name, name)
      assert.equal((await daemonConfig({ config: await file({ overlay: name }) })).overlay.name, name)
    }
  })

  it('comes from the flags where both say something', async () => {
    const config = await daemonConfig({ config: await file({ network: 'lab', control: 'a.sock' }), network: 'field', data: folder.path })
    assert.equal(config.network, 'field')
    assert.equal(config.control, join(folder.path, 'a.sock'))
  })

  it('takes a word where the parameter is one', async () => {
    const config = await daemonConfig({ config: await file({ dolr: { choose: 'holder' } }) })
    assert.equal(config.dolr.choose, 'holder')
  })

  const wrong: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    [
      'a key that is not known',
      { bootstap: [] },
      /^bootstap in .*plaxton\.json is not known; the configuration may have listen, bootstrap, /,
    ],
    ['a key of PAST that is not known', { past: { copies: 3 } }, /^past\.copies in .* is not known; past may have replicas, /],
    ['a key that every object has', '{"__proto__": {}, "constructor": 1}', /^(__proto__|constructor) in .* is not known/],
    ['a list that is none', { listen: '/ip4/127.0.0.1/tcp/1' }, /^listen in .* is no list of strings/],
    ['a text that is none', { network: 5 }, /^network in .* is no string/],
    ['a word that is none', { dolr: { choose: 1 } }, /^dolr\.choose in .* is no string/],
    ['a word that is not known', { dolr: { choose: 'host' } }, /^dolr\.choose in .* is "host", allowed is 'sender' or 'holder'$/],
    ['a puzzle that nobody solves', { puzzleBits: 33 }, /^puzzleBits is 33, allowed is 0 to 32$/],
    ['a number that is none', { past: { replicas: '5' } }, /^past\.replicas in .* is no number/],
    [
      'a parameter of PAST out of range',
      { past: { replicas: 10 } },
      /^past\.replicas in .*plaxton\.json is 10, allowed is 1 to maxReplicas, 9$/,
    ],
    ['a parameter of DOLR out of range', { dolr: { roots: 0 } }, /^dolr\.roots in .* is 0, allowed is a whole number from 1 to \d+$/],
    ['a parameter of DOLR that is not known', { dolr: { root: 1 } }, /^dolr\.root in .* is not known; dolr may have roots, /],
    [
      'a parameter out of range of an overlay that is not chosen',
      { overlay: 'pastry', tapestry: { digitBits: 6 } },
      /^tapestry\.digitBits in .* is 6, allowed is a whole number from 1 to 5$/,
    ],
    ['a parameter of another overlay', { tapestry: { leafSetSize: 16 } }, /^tapestry\.leafSetSize in .* is not known; tapestry may have /],
    [
      'a parameter of the overlay out of range',
      { overlay: 'pastry', pastry: { leafSetSize: 15 } },
      /^pastry\.leafSetSize in .*plaxton\.json is 15, allowed is an even number$/,
    ],
    ['no object', [], /is no object/],
    ['no JSON', '{"listen": [', /is not JSON/],
  ]
  for (const [what, content, complaint] of wrong) {
    it(`is refused for ${what}, naming it`, async () => {
      await assert.rejects(daemonConfig({ config: await file(content) }), { code: 'ERR_USAGE', message: complaint })
    })
  }

  it('is refused for a file that is not there', async () => {
    await assert.rejects(daemonConfig({ config: join(folder.path, 'none.json') }), {
      code: 'ERR_USAGE',
      message: /none\.json cannot be read/,
    })
  })

  it('says how many virtual nodes to run, by flag or by file, from 1 to 64', async () => {
    assert.equal((await daemonConfig({ virtualNodes: 8 })).virtualNodes, 8)
    assert.equal((await daemonConfig({ config: await file({ virtualNodes: 3 }) })).virtualNodes, 3)
    for (const virtualNodes of [0, 65]) {
      await assert.rejects(daemonConfig({ virtualNodes }), {
        code: 'ERR_USAGE',
        message: `virtualNodes is ${virtualNodes}, allowed is 1 to 64`,
      })
    }
  })

  it('is refused for addresses, networks and overlays that are none', async () => {
    await assert.rejects(daemonConfig({ listen: ['localhost:4001'] }), { message: /^listen "localhost:4001" is no multiaddr, such as/ })
    await assert.rejects(daemonConfig({ bootstrap: ['nowhere'] }), { message: /^bootstrap "nowhere" is no multiaddr/ })
    await assert.rejects(daemonConfig({ network: 'My Network' }), { message: /^network is "My Network", allowed are 1 to 32 characters/ })
    await assert.rejects(daemonConfig({ overlay: 'bus' }), {
      message: /^there is no overlay "bus"; there is pastry, tapestry, chord, can, kademlia$/,
    })
  })
})

describe('the control socket of a client', () => {
  const home = join(homedir(), '.plaxton', 'control.sock')

  it('is the one it is told, by option before environment', () => {
    const environment = { PLAXTON_CONTROL: 'env.sock', XDG_DATA_HOME: resolve('xdg') }
    assert.equal(controlPath({ control: 'a.sock', data: 'dir' }, environment), resolve('a.sock'))
    assert.equal(controlPath({ data: 'dir' }, environment), join(resolve('dir'), 'control.sock'))
    assert.equal(controlPath({}, environment), resolve('env.sock'))
    assert.equal(controlPath({}, { XDG_DATA_HOME: resolve('xdg') }), join(resolve('xdg'), 'plaxton', 'control.sock'))
    assert.equal(controlPath({}, {}), home)
    assert.equal(controlPath({}, { PLAXTON_CONTROL: '', XDG_DATA_HOME: '' }), home)
    assert.equal(defaultDataDirectory({}), join(homedir(), '.plaxton'))
  })

  it('is a named pipe on Windows', () => {
    assert.match(socketAddress('C:\\data\\control.sock', 'win32'), /^\\\\\.\\pipe\\plaxton-[0-9a-f]{32}$/)
  })

  it('is refused where its path is longer than the system takes', () => {
    const path = `/${'x'.repeat(107)}`
    assert.throws(() => socketAddress(path, 'linux'), {
      code: 'ERR_USAGE',
      message: /has 108 bytes, allowed is 107: give --control a shorter one/,
    })
    assert.equal(socketAddress(path.slice(0, 107), 'linux'), path.slice(0, 107))
    assert.throws(() => socketAddress(path.slice(0, 107), 'darwin'), { message: /allowed is 103/ })
  })
})

describe('a listen address', () => {
  it('is loopback or is not', () => {
    const loopback = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.1.2.3/tcp/1', '/ip6/::1/tcp/0', '/dns4/localhost/tcp/1']
    const others = [
      '/ip4/0.0.0.0/tcp/0',
      '/ip4/192.168.1.127/tcp/0',
      '/ip6/::/tcp/0',
      '/ip6/::1234/tcp/0',
      '/dns4/localhost.example.org/tcp/1',
    ]
    assert.deepEqual(
      loopback.map(isLoopback),
      loopback.map(() => true),
    )
    assert.deepEqual(
      others.map(isLoopback),
      others.map(() => false),
    )
  })

  it('of port 0 came to the port found among the addresses of the node', () => {
    const actual = [
      '/ip4/127.0.0.1/tcp/1000/ws/p2p/12D3KooWx',
      '/ip4/127.0.0.1/tcp/2000/p2p/12D3KooWx',
      '/ip4/10.0.0.1/tcp/3000/p2p/12D3KooWx',
    ]
    assert.equal(portCameTo('/ip4/127.0.0.1/tcp/0', actual), '/ip4/127.0.0.1/tcp/2000')
    assert.equal(portCameTo('/ip4/127.0.0.1/tcp/0/ws', actual), '/ip4/127.0.0.1/tcp/1000/ws')
    assert.equal(portCameTo('/ip4/0.0.0.0/tcp/0', actual.slice(2)), '/ip4/0.0.0.0/tcp/3000')
    assert.equal(portCameTo('/ip4/127.0.0.1/tcp/4001', actual), undefined)
    assert.equal(portCameTo('/ip6/::1/tcp/0', actual), undefined)
  })
})
