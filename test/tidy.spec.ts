import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { npm } from './npm.ts'
import { exists, outsider, published, read, readJson, root, sourceFiles, workspaces } from './workspaces.ts'

/**
 * Which packages of ours a package may name in its `src` and its `dependencies`. The arrows go one way: overlays know no service,
 * services no overlay, cores no driver. A package that is not listed here fails the tests until somebody has decided where it stands.
 */
const MAY_USE: Record<string, string[]> = {
  guid: [],
  wire: ['guid'],
  kbr: ['guid', 'wire'],
  routing: ['guid', 'wire', 'kbr', 'upkeep'],
  upkeep: ['guid', 'kbr'],
  testbed: ['guid', 'kbr'],
  pastry: ['guid', 'wire', 'kbr', 'upkeep', 'routing'],
  tapestry: ['guid', 'wire', 'kbr', 'upkeep'],
  chord: ['guid', 'wire', 'kbr', 'upkeep'],
  kademlia: ['guid', 'wire', 'kbr', 'upkeep'],
  can: ['guid', 'wire', 'kbr', 'upkeep'],
  past: ['guid', 'wire', 'kbr'],
  dolr: ['guid', 'wire', 'kbr'],
  'central-index': ['guid', 'wire', 'kbr'],
  simulator: ['guid', 'wire', 'kbr', 'upkeep', 'routing', 'pastry', 'tapestry', 'chord', 'kademlia', 'can', 'past', 'dolr'],
  runtime: ['guid', 'wire', 'kbr', 'routing', 'past', 'dolr', 'central-index'],
  conformance: ['guid', 'wire', 'kbr', 'routing', 'runtime', 'simulator'],
  files: ['guid', 'kbr'],
  libp2p: ['guid', 'wire', 'kbr', 'routing', 'past', 'dolr', 'central-index', 'runtime'],
}

/** Packages without clock, entropy, socket or disk. */
const CORES = [
  'guid',
  'wire',
  'kbr',
  'routing',
  'upkeep',
  'pastry',
  'tapestry',
  'chord',
  'kademlia',
  'can',
  'past',
  'dolr',
  'central-index',
]

/** The only third-party code in a core: hashes and the CID text form, both pure. */
const CORE_LIBRARIES: Record<string, RegExp> = { guid: /^(?:@noble\/hashes|multiformats)(?:\/|$)/ }

/** What a core must not do, although the compiler knows it without any ambient type, and what to use instead. */
const BANNED_IN_CORES: [RegExp, string][] = [
  [/\bDate\b/, 'take `now` from the caller'],
  [/\bMath\.random\b/, 'draw from the seeded generator'],
  [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/, 'start a timer through the effects'],
  [/\bconsole\b/, 'emit an event through the effects'],
  [/\b(?:async|await)\b/, 'a core answers at once; what takes time comes back as an input'],
]

/** What would make two runs of one seed differ. */
const BANNED_IN_SIMULATOR: [RegExp, string][] = [
  ...BANNED_IN_CORES.slice(0, 3),
  [/\b(?:randomBytes|randomUUID|randomInt|getRandomValues|generateKeyPair\w*)\b/, 'derive it from the seed'],
  [/\bperformance\b/, 'take the virtual time'],
]

/** Longest source file. Beyond it a file holds more than one exchange or one data structure. */
const MAX_LINES = 500

const LIBP2P = /^(?:libp2p|@libp2p\/.*|@chainsafe\/libp2p-.*|@multiformats\/multiaddr.*)(?:\/|$)/

const packages = workspaces.filter(({ kind }) => kind === 'packages')

describe('the layers', () => {
  for (const { name, folder, manifest } of packages) {
    it(`${name} names only the packages below it`, () => {
      const allowed = MAY_USE[name]
      assert(allowed !== undefined, `${folder} is new: say in test/tidy.spec.ts which packages it may use`)
      const declared = ours(Object.keys(manifest.dependencies ?? {}))
      const imported = sourceFiles(`${folder}/src/**/*.ts`).flatMap(({ imports }) => ours(imports))
      assert.deepEqual(
        [...new Set([...declared, ...imported])].filter((other) => !allowed.includes(other)),
        [],
      )
    })
  }

  it('no package depends on itself through others, tests included', () => {
    const dependencies = new Map(
      workspaces.map(({ manifest }) => [
        manifest.name,
        Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) => name.startsWith('@plaxton/')),
      ]),
    )
    const visit = (name: string, path: string[]): void => {
      assert(!path.includes(name), `cycle: ${[...path, name].join(' → ')}`)
      for (const next of dependencies.get(name) ?? []) visit(next, [...path, name])
    }
    for (const name of dependencies.keys()) visit(name, [])
  })

  it('only packages/libp2p knows libp2p', () => {
    const others = packages.filter(({ name }) => name !== 'libp2p')
    const imported = others.flatMap(({ folder }) =>
      violations(`${folder}/{src,test,bench}/**/*.ts`, (file) => file.imports.filter((name) => LIBP2P.test(name))),
    )
    const declared = others.flatMap(({ folder, manifest }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter((name) => LIBP2P.test(name))
        .map((name) => `${folder}/package.json: ${name}`),
    )
    assert.deepEqual([...imported, ...declared], [])
  })
})

describe('the cores', () => {
  for (const name of CORES) {
    const src = `packages/${name}/src/**/*.ts`

    it(`${name} compiles without any ambient type`, () => {
      const { compilerOptions } = readJson(`packages/${name}/tsconfig.json`) as { compilerOptions: { lib?: string[]; types?: string[] } }
      assert.deepEqual(compilerOptions.lib, ['ES2023'])
      assert.deepEqual(compilerOptions.types, [])
    })

    it(`${name} imports no library and nothing of Node`, () => {
      const allowed = CORE_LIBRARIES[name]
      const found = violations(src, ({ imports }) =>
        imports.filter((from) => !from.startsWith('.') && !from.startsWith('@plaxton/') && allowed?.test(from) !== true),
      )
      assert.deepEqual(found, [])
    })

    it(`${name} reads no clock, draws no luck and waits for nothing`, () => {
      assert.deepEqual(banned(src, BANNED_IN_CORES), [])
    })
  }
})

describe('the simulator', () => {
  it('takes its time and its luck from the seed alone', () => {
    assert.deepEqual(banned('packages/simulator/src/**/*.ts', BANNED_IN_SIMULATOR), [])
  })
})

describe('every workspace', () => {
  for (const { folder, kind, manifest } of workspaces) {
    it(`${folder} has a README, a licence and tests`, () => {
      assert(exists(`${folder}/README.md`), 'README.md is missing')
      assert(read(`${folder}/README.md`).length > 400, 'README.md says next to nothing')
      assert.equal(manifest.license, 'MIT OR Apache-2.0')
      if (manifest.private !== true)
        assert(exists(`${folder}/LICENSE-MIT`) && exists(`${folder}/LICENSE-APACHE`), 'a licence text is missing')
      if (kind !== 'examples') assert(sourceFiles(`${folder}/test/**/*.spec.ts`).length > 0, 'test/**/*.spec.ts is missing')
    })
  }

  for (const { folder, manifest } of published) {
    it(`${folder} brings along what its sources import, types included`, () => {
      const brought = { ...manifest.dependencies, ...manifest.peerDependencies }
      const found = violations(`${folder}/src/**/*.ts`, ({ imports }) =>
        imports
          .filter((from) => !/^(?:\.|node:)/.test(from))
          .filter((from) => brought[/^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? ''] === undefined),
      )
      assert.deepEqual(found, [], 'neither in "dependencies" nor in "peerDependencies"')
    })

    it(`${folder} is published as a sealed, side-effect-free ES module with its sources`, () => {
      assert.equal(manifest.type, 'module')
      assert.equal(manifest.sideEffects, false)
      for (const [path, conditions] of Object.entries(manifest.exports ?? {})) {
        if (path === './package.json') continue
        assert.deepEqual(Object.keys(conditions), ['plaxton-source', 'types', 'default'], `"exports" of ${path}`)
        assert(exists(`${folder}/${conditions['plaxton-source']}`), `"exports" of ${path} names a source that does not exist`)
      }
      assert(manifest.exports?.['./package.json'] !== undefined, '"exports" lacks ./package.json')
      assert((manifest.description ?? '') !== '', '"description" is missing')
      for (const needed of ['dist/src', 'src']) assert(manifest.files?.includes(needed), `"files" lacks ${needed}`)
    })
  }

  it('is listed in the root tsconfig.json with its tests', () => {
    const { references } = readJson('tsconfig.json') as { references: { path: string }[] }
    const listed = new Set(references.map(({ path }) => path))
    const missing = workspaces
      .flatMap(({ folder }) => [folder, `${folder}/test`])
      .filter((path) => exists(`${path}/tsconfig.json`) && !listed.has(path))
    assert.deepEqual(missing, [])
  })
})

describe('every source file', () => {
  const all = ['{packages,apps,examples}/*/{src,test,bench}/**/*.ts', '{scripts,test}/**/*.ts']

  it('writes the extension of what it imports by a relative path', () => {
    const found = all.flatMap((pattern) =>
      violations(pattern, ({ imports }) => imports.filter((from) => /^\.\.?\//.test(from) && !/\.(?:ts|mjs|json)$/.test(from))),
    )
    assert.deepEqual(found, [])
  })

  it('reaches another package by its name, never by a path', () => {
    const found = violations('{packages,apps,examples}/*/{src,test,bench}/**/*.ts', ({ imports }) =>
      imports.filter((from) => /\/(?:packages|apps|src)\/.*\/src\/|^(?:\.\.\/){3,}(?:packages|apps)\//.test(from)),
    )
    assert.deepEqual(found, [])
  })

  it(`is at most ${MAX_LINES} lines long`, () => {
    const found = violations('{packages,apps,examples}/*/src/**/*.ts', ({ text }) => {
      const lines = text.split('\n').length
      return lines > MAX_LINES ? [`${lines} lines`] : []
    })
    assert.deepEqual(found, [])
  })

  it('leaves no note for later', () => {
    const note = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|'))
    assert.deepEqual(
      all.flatMap((pattern) => violations(pattern, ({ text }) => (note.test(text) ? ['a note for later'] : []))),
      [],
    )
  })
})

describe('the committed files', () => {
  it('name no path of one machine and no registry', () => {
    const paths = /(?<![\w.@~/-])\/(?:work|root|home|tmp|Users)\/\w/
    const hosts = ['registry.npm' + 'js.org', new URL(npm(['config', 'get', 'registry']).trim()).host]
    const found = committedFiles().flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      const host = hosts.find((name) => text.includes(name))
      return [...(host === undefined ? [] : [`${path}: ${host}`]), ...(paths.exec(text)?.map((match) => `${path}: ${match}`) ?? [])]
    })
    assert.deepEqual(found, [])
  })

  for (const path of ['package-lock.json', `${outsider}/package-lock.json`]) {
    it(`include ${path}, which says what to install and not where from`, () => {
      const hosts = Object.entries(lockedPackages(path)).filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
      assert.deepEqual(
        hosts.filter(([, { resolved }]) => resolved?.startsWith('file:') !== true),
        [],
      )
    })
  }

  it('include a lock file that npm ci accepts', () => {
    npm(['ci', '--dry-run', '--offline', '--loglevel=error'])
  })
})

describe(`${outsider}, which stands outside the workspaces`, () => {
  const { dependencies = {} } = readJson(`${outsider}/package.json`) as { dependencies?: Record<string, string> }

  it('is none of them, so that nobody else pays for what it brings', () => {
    const { workspaces: patterns } = readJson('package.json') as { workspaces: string[] }
    assert(patterns.includes(`!${outsider}`))
    assert.deepEqual(
      Object.keys(lockedPackages('package-lock.json')).filter((path) => path.startsWith(outsider)),
      [],
    )
  })

  it('has our packages locked as they are now; npm install there mends that', () => {
    const locked = lockedPackages(`${outsider}/package-lock.json`)
    const outdated = ours(Object.keys(dependencies)).filter((name) => {
      const { version, dependencies: needed } = locked[`node_modules/@plaxton/${name}`] ?? {}
      const manifest = readJson(`packages/${name}/package.json`) as LockedPackage
      return version !== manifest.version || !isDeepStrictEqual(needed ?? {}, manifest.dependencies ?? {})
    })
    assert.deepEqual(outdated, [])
  })

  it('names every package of ours that it needs, because it finds none in a registry', () => {
    const needed = ours(Object.keys(dependencies)).flatMap((name) =>
      ours(Object.keys((readJson(`packages/${name}/package.json`) as LockedPackage).dependencies ?? {})),
    )
    assert.deepEqual(
      needed.filter((name) => dependencies[`@plaxton/${name}`] !== `file:../../packages/${name}`),
      [],
    )
  })
})

interface LockedPackage {
  version?: string
  resolved?: string
  link?: boolean
  dependencies?: Record<string, string>
}

function lockedPackages(path: string): Record<string, LockedPackage> {
  return (readJson(path) as { packages: Record<string, LockedPackage> }).packages
}

/** The packages of ours among some module names: `@plaxton/guid` is `guid`. */
function ours(names: string[]): string[] {
  return names.filter((name) => name.startsWith('@plaxton/')).map((name) => name.split('/')[1] ?? '')
}

/** `path: complaint` for every complaint about a matching file. */
function violations(pattern: string, complaints: (file: ReturnType<typeof sourceFiles>[number]) => string[]): string[] {
  return sourceFiles(pattern).flatMap((file) => complaints(file).map((complaint) => `${file.path}: ${complaint}`))
}

function banned(pattern: string, list: [RegExp, string][]): string[] {
  return violations(pattern, ({ code }) => list.filter(([sign]) => sign.test(code)).map(([sign, instead]) => `${sign.source}: ${instead}`))
}

function committedFiles(): string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  return output.split('\0').filter((path) => path !== '' && exists(path))
}
