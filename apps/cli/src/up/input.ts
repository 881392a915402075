import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../errors.ts'

/** A file to be stored. */
export interface InputFile {
  /** From the folder, with `/`. */
  readonly name: string
  readonly path: string
  readonly size: number
}

/** What the main job works on. */
export interface Input {
  readonly folder: string
  /** What it is, for a person. */
  readonly what: string
  readonly files: readonly InputFile[]
}

/** Folders that hold what tools have made; nobody wants to see them stored. */
const leftOut = new Set(['node_modules', '.git', 'dist'])

/** The files of `folder`; without one, what git tracks in this repository, or this package's own files when it was installed. */
export async function inputFrom(folder: string | undefined): Promise<Input> {
  const input = folder === undefined ? await ownFiles() : await folderInput(resolve(folder), folder)
  if (input.files.length === 0) throw new UsageError(`${input.folder} holds no file to store: say another folder with --input`)
  return input
}

async function folderInput(folder: string, given: string): Promise<Input> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) throw new UsageError(`--input ${given} is no folder`)
  return { folder, what: given, files: await sized(folder, await namesBelow(folder)) }
}

async function ownFiles(): Promise<Input> {
  const ownPackage = dirname(createRequire(import.meta.url).resolve('@plaxton/cli/package.json'))
  const repository = resolve(ownPackage, '..', '..')
  if (!existsSync(join(repository, '.git'))) {
    return { folder: ownPackage, what: 'the files of this package', files: await sized(ownPackage, await namesBelow(ownPackage)) }
  }
  const names = await trackedFiles(repository).catch(() => namesBelow(repository))
  return { folder: repository, what: 'the files of this repository', files: await sized(repository, names) }
}

async function trackedFiles(repository: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-z'], { cwd: repository, maxBuffer: 16 * 1024 * 1024 })
  return stdout.split('\0').filter((name) => name !== '' && !name.split('/').some((part) => leftOut.has(part)))
}

async function namesBelow(folder: string, within = ''): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(join(folder, within), { withFileTypes: true })) {
    const name = within === '' ? entry.name : `${within}/${entry.name}`
    if (entry.isFile()) names.push(name)
    else if (entry.isDirectory() && !leftOut.has(entry.name)) names.push(...(await namesBelow(folder, name)))
  }
  return names
}

/** Those of the names that are files now; a tracked one may be gone. */
async function sized(folder: string, names: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = []
  for (const name of names.toSorted()) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() === true) files.push({ name, path, size: found.size })
  }
  return files
}
