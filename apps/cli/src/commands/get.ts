import { once } from 'node:events'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { PlaxtonError } from '@plaxton/kbr'
import { UsageError } from '../errors.ts'
import { formatBytes, formatCount, formatDuration } from '../output/format.ts'
import { callNamedDaemon } from './client.ts'
import type { FileHandle } from 'node:fs/promises'
import type { ControlOptions } from '../control/address.ts'
import type { Frame } from '../control/frames.ts'
import type { Output } from '../output/output.ts'

export interface GetOptions extends ControlOptions {
  readonly output?: string
}

/** What the daemon says at the end. */
interface Fetched {
  readonly cid: string
  readonly type: 'file' | 'directory'
  readonly files: number
  readonly bytes: number
  readonly elapsedMs: number
}

/** `plaxton get`: writes a file to stdout, or a file or folder to a path. */
export async function get(output: Output, options: GetOptions, root: string): Promise<void> {
  if (output.json && options.output === undefined)
    throw new UsageError('with --json the file cannot go to stdout: say with -o where to write it')
  const target = options.output === undefined ? new StdoutTarget(output) : await DiskTarget.at(options.output)
  let done = 0
  let total: number | undefined
  try {
    const fetched = (await callNamedDaemon(options, {
      command: 'get',
      arguments: { root },
      onFrame: async (frame) => {
        if (frame.header.type === 'entry') total ??= frame.header['size'] as number
        done += frame.body?.length ?? 0
        output.progress.show({ label: 'fetching', done, total, unit: 'bytes' })
        await target.take(frame)
      },
    })) as Fetched
    await target.finish()
    if (options.output === undefined) return output.progress.clear()
    const path = resolve(options.output)
    output.result({ ...fetched, path }, () => {
      const what = fetched.type === 'file' ? '' : ` in ${formatCount(fetched.files, 'file')}`
      return `${options.output}: ${formatBytes(fetched.bytes)}${what} in ${formatDuration(fetched.elapsedMs)}`
    })
  } catch (error) {
    await target.discard()
    throw error
  }
}

/** Where the frames of a file or folder go. */
interface Target {
  take(frame: Frame): Promise<void>
  finish(): Promise<void>
  /** It came to nothing: leaves no trace. */
  discard(): Promise<void>
}

class StdoutTarget implements Target {
  private readonly output: Output

  constructor(output: Output) {
    this.output = output
  }

  async take({ header, body }: Frame): Promise<void> {
    if (header.type === 'entry' && header['kind'] === 'directory') throw new UsageError('it is a folder: say with -o where to write it')
    if (body === undefined || body.length === 0) return
    const { stdout, stderr } = this.output.streams
    if (stdout.isTTY && stderr.isTTY) this.output.progress.clear()
    if (!stdout.write(body)) await Promise.race([once(stdout, 'drain'), once(stdout, 'close')])
  }

  async finish(): Promise<void> {}
  async discard(): Promise<void> {}
}

/** Writes beside the target and moves it there when it is whole. */
class DiskTarget implements Target {
  private readonly path: string
  private readonly draft: string
  private file: FileHandle | undefined

  private constructor(path: string) {
    this.path = path
    this.draft = `${path}.part-${process.pid}`
  }

  static async at(path: string): Promise<DiskTarget> {
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory() === true)
      throw new UsageError(`${path} is a folder already: say with -o where the new file or folder is to be`)
    await mkdir(dirname(resolve(path)), { recursive: true })
    return new DiskTarget(resolve(path))
  }

  async take({ header, body }: Frame): Promise<void> {
    if (header.type === 'entry') return this.begin(header['path'] as string, header['kind'] === 'directory')
    if (body === undefined || this.file === undefined) return
    await this.file.writeFile(body)
  }

  async finish(): Promise<void> {
    await this.closeFile()
    await rename(this.draft, this.path)
  }

  async discard(): Promise<void> {
    await this.closeFile()
    await rm(this.draft, { recursive: true, force: true })
  }

  private async begin(entry: string, isDirectory: boolean): Promise<void> {
    await this.closeFile()
    const path = entry === '' ? this.draft : join(this.draft, safePath(entry))
    if (isDirectory) await mkdir(path)
    else this.file = await open(path, 'wx')
  }

  private async closeFile(): Promise<void> {
    const { file } = this
    this.file = undefined
    await file?.close()
  }
}

/** The path of an entry below its folder. Who stored the folder chose the names; none leads out of it. */
function safePath(entry: string): string {
  const names = entry.split('/')
  const isBad = (name: string): boolean =>
    name === '' || name === '.' || name === '..' || name.includes(sep) || name.includes('\0') || isAbsolute(name)
  if (names.some(isBad))
    throw new PlaxtonError(
      'UnsafeNameError',
      'ERR_UNSAFE_NAME',
      `the folder has an entry ${JSON.stringify(entry)}, which is no name of a file here: fetch its parts one by one`,
    )
  return join(...names)
}
