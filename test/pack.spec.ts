import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { npm } from './npm.ts'
import { exists, published, read, readJson, root } from './workspaces.ts'

const run = promisify(execFile)

// What a user gets: not the sources of this repository, but the tarballs that `npm publish` would send.
describe('the packed packages', function () {
  this.timeout(300_000)
  let folder: string
  let tarballs: Map<string, string>

  before('build and pack every package', () => {
    folder = mkdtempSync(join(tmpdir(), 'plaxton-pack-'))
    const build = spawnSync('turbo', ['run', 'build', '--output-logs=errors-only'], { cwd: root, encoding: 'utf8' })
    assert.equal(build.status, 0, `the build failed:\n${build.stdout}${build.stderr}`)
    tarballs = pack(join(folder, 'tarballs'))
  })

  after(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  for (const { name } of published.map(({ manifest }) => manifest)) {
    it(`${name} has entry points that exist and are what they say (publint)`, async () => {
      const tarball = readFileSync(tarballs.get(name)!)
      const { messages, pkg } = await publint({ pack: { tarball: arrayBuffer(tarball) }, strict: true })
      assert.deepEqual(
        messages.map((message) => formatMessage(message, pkg!, { color: false })),
        [],
      )
    })
  }

  it('carry their README and both licence texts', async () => {
    for (const [name, tarball] of tarballs) {
      const { stdout } = await run('tar', ['-tzf', tarball])
      for (const file of ['README.md', 'LICENSE-MIT', 'LICENSE-APACHE'])
        assert.ok(stdout.includes(`package/${file}`), `${name} lacks ${file}`)
    }
  })

  // A package without a main entry point is a command: it has no types to resolve.
  for (const { name } of published.map(({ manifest }) => manifest).filter(({ exports }) => exports?.['.'] !== undefined)) {
    it(`${name} resolves to its types from ES modules and bundlers (attw)`, async () => {
      await run('attw', ['--profile', 'esm-only', '--no-emoji', '--no-color', tarballs.get(name)!])
    })
  }

  it('install into an empty folder and run the program of the README', () => {
    const { program, installed } = readme()
    assert.deepEqual(
      modulesOf(program).filter((name) => !installed.includes(name)),
      [],
      'the npm install line of the README lacks what its program imports',
    )
    runInEmptyFolder('program', program)
  })

  // A block marked js is a whole program; fragments are marked ts.
  for (const { folder: path, name } of published) {
    const program = firstProgram(read(`${path}/README.md`))
    if (program === undefined) continue
    it(`${path} installs into an empty folder and runs the program of its README`, () => {
      runInEmptyFolder(name, program)
    })
  }

  for (const { manifest } of published.filter(({ manifest: { bin } }) => bin !== undefined)) {
    it(`${manifest.name} installs into an empty folder and shows its help`, async () => {
      const app = emptyFolder(`command-${manifest.name.replaceAll('/', '-')}`)
      install(
        app,
        closure([manifest.name]).map((name) => tarballs.get(name)!),
      )
      for (const command of Object.keys(manifest.bin!)) {
        const { stdout } = await run(join(app, 'node_modules', '.bin', command), ['--help'], { cwd: app, timeout: 60_000 })
        assert.match(stdout, new RegExp(`usage:.*${command}`, 'i'))
      }
    })
  }

  /** Installs what the program imports, of ours from the tarballs and of others as this repository has it, and runs it. It must print something. */
  function runInEmptyFolder(name: string, program: string): void {
    const app = emptyFolder(name)
    writeFileSync(join(app, 'program.js'), program)
    const imported = modulesOf(program)
    install(app, [...closure(imported).map((each) => tarballs.get(each)!), ...imported.filter((each) => !tarballs.has(each)).map(asLocked)])
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['program.js'], { cwd: app, encoding: 'utf8', timeout: 60_000 })
    assert.equal(status, 0, `the program ended with ${signal ?? `status ${status}`}:\n${stdout}${stderr}`)
    assert.notEqual(stdout.trim(), '', 'the program printed nothing')
  }

  function emptyFolder(name: string): string {
    const path = join(folder, name)
    mkdirSync(path)
    writeFileSync(join(path, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    return path
  }
})

function install(app: string, what: string[]): void {
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...what], app)
}

/** Packs every published workspace into `target` and gives the tarball's path for each package name. */
function pack(target: string): Map<string, string> {
  mkdirSync(target)
  npm(['pack', '--loglevel=error', '--pack-destination', target, ...published.flatMap((workspace) => ['-w', workspace.folder])])
  const files = readdirSync(target)
  return new Map(
    published.map(({ manifest: { name, version } }) => {
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
      assert(files.includes(file), `npm pack wrote no ${file}`)
      return [name, join(target, file)]
    }),
  )
}

/** What the README shows is what runs here: the first `js` block under "Twenty lines" and the packages of its `npm install` line. */
function readme(): { program: string; installed: string[] } {
  assert(exists('README.md'), 'README.md is missing')
  const section = /^## Twenty lines\n(?<body>[\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(read('README.md'))?.groups?.['body']
  assert(section !== undefined, 'README.md has no section "## Twenty lines"')
  const program = firstProgram(section)
  assert(program !== undefined, 'README.md has no ```js block under "## Twenty lines"')
  return { program, installed: /^npm install (.+)$/m.exec(section)?.[1]?.split(' ') ?? [] }
}

function firstProgram(text: string): string | undefined {
  return /^```js\n(?<code>[\s\S]*?)^```$/m.exec(text)?.groups?.['code']
}

/** The packages that a program imports, Node's own modules aside. */
function modulesOf(program: string): string[] {
  const names = [...program.matchAll(/\bfrom\s+'((?:@[^/']+\/)?[^/'.]+)[^']*'/g)].map((match) => match[1] ?? '')
  return [...new Set(names)].filter((name) => !name.startsWith('node:'))
}

/** Those of the names that are packages of ours, and what they need of ours in turn: no registry has them yet. */
function closure(names: string[], found = new Set<string>()): string[] {
  for (const name of names) {
    const manifest = published.find((workspace) => workspace.manifest.name === name)?.manifest
    if (manifest === undefined || found.has(name)) continue
    found.add(name)
    closure(Object.keys(manifest.dependencies ?? {}), found)
  }
  return [...found]
}

/** `name@version` at the version that this repository installs. */
function asLocked(name: string): string {
  const { packages: locked } = readJson('package-lock.json') as { packages: Record<string, { version: string }> }
  const version = locked[`node_modules/${name}`]?.version
  assert(version !== undefined, `the program of the README imports ${name}, which this repository does not install`)
  return `${name}@${version}`
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}
