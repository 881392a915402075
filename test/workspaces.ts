import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder, with a closing separator. */
export const root = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  name: string
  version: string
  description?: string
  license?: string
  type?: string
  private?: boolean
  sideEffects?: boolean
  files?: string[]
  bin?: Record<string, string>
  /** Conditions by subpath; `./package.json` alone is a plain string. */
  exports?: Record<string, Record<string, string>>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

export interface Workspace {
  /** `packages/guid`, with forward slashes. */
  folder: string
  /** `packages`, `apps` or `examples`. */
  kind: string
  /** The folder's own name: `guid`. */
  name: string
  manifest: Manifest
}

/** Stands outside the workspaces, because what it depends on weighs more than all the rest together. */
export const outsider = 'examples/helia'

export const workspaces: Workspace[] = globSync(['packages/*/package.json', 'apps/*/package.json', 'examples/*/package.json'], {
  cwd: root,
  exclude: [`${outsider}/**`],
})
  .map((path) => path.split(sep))
  .map(([kind = '', name = '']) => ({
    folder: `${kind}/${name}`,
    kind,
    name,
    manifest: readJson(`${kind}/${name}/package.json`) as Manifest,
  }))
  .toSorted((a, b) => (a.folder < b.folder ? -1 : 1))

/** Workspaces that are published to a registry. */
export const published = workspaces.filter(({ manifest }) => manifest.private !== true)

/** Packages that a browser can use: not commands, nor what tests and simulates on Node. */
export const forBrowsers = published.filter(
  ({ kind, name, manifest }) =>
    kind === 'packages' && manifest.exports?.['.'] !== undefined && !['conformance', 'simulator'].includes(name),
)

export interface SourceFile {
  /** Relative to the repository. */
  path: string
  text: string
  /** The text without comments. */
  code: string
  /** What the file imports or re-exports from, statically or not. */
  imports: string[]
}

/** The TypeScript files that match, relative to the repository, without anything installed or built. */
export function sourceFiles(...patterns: string[]): SourceFile[] {
  return globSync(patterns, { cwd: root, exclude: (name) => name === 'node_modules' || name === 'dist' })
    .map((path) => {
      const text = read(path)
      const code = withoutComments(text)
      return { path: path.replaceAll(sep, '/'), text, code, imports: importsOf(code) }
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export function exists(path: string): boolean {
  return existsSync(join(root, path))
}

/** A JSON file, in which line comments may stand alone on a line. */
export function readJson(path: string): unknown {
  return JSON.parse(read(path).replaceAll(/^\s*\/\/.*$/gm, ''))
}

function withoutComments(text: string): string {
  // Strings are matched first, so that a comment sign inside one stays.
  return text.replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*/g, (match) =>
    match.startsWith('/') ? '' : match,
  )
}

function importsOf(code: string): string[] {
  return [...code.matchAll(/(?<![.\w])(?:from\s*|import\s*\(?\s*)(['"])([^'"\n]+)\1/g)].map((match) => match[2] ?? '')
}
