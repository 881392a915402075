import { PlaxtonError } from '@plaxton/kbr'

/** The statuses the command ends with; the README explains each. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  noDaemon: 4,
  timedOut: 5,
  /** 128 and the number of SIGINT, as shells have it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The command was called in a way that makes no sense; `message` says what would. */
export class UsageError extends PlaxtonError {
  constructor(message: string) {
    super('UsageError', 'ERR_USAGE', message)
  }
}

/** The user ended the command. */
export class InterruptedError extends PlaxtonError {
  constructor() {
    super('InterruptedError', 'ERR_INTERRUPTED', 'interrupted')
  }
}

/** Nobody listens at the control socket. */
export class NoDaemonError extends PlaxtonError {
  constructor(path: string, hint: string) {
    super('NoDaemonError', 'ERR_NO_DAEMON', `no daemon answers at ${path}: ${hint}`)
  }
}

/** The daemon told of an error; its code and sentence are kept. */
export class RemoteError extends PlaxtonError {
  constructor(code: string, message: string) {
    super('RemoteError', code, message)
  }
}

/** An error as it crosses the control socket and as `--json` prints it. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
}

/** What is told of an error: one sentence and a code to switch on. */
export function reportOf(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { code: 'ERR_UNKNOWN', message: String(error) }
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  if (error.name === 'TimeoutError') return { code: 'ERR_DEADLINE', message: error.message }
  if (typeof code !== 'string') return { code: 'ERR_UNKNOWN', message: error.message || error.name }
  // The operating system's errors begin with their code, which a person need not read.
  const message = typeof syscall === 'string' ? error.message.replace(new RegExp(`^${code}: `), '') : error.message
  return { code, message }
}

/** The status that goes with an error's code. */
export function exitCodeOf(code: string): ExitCode {
  return byCode[code] ?? exitCodes.failed
}

const byCode: Readonly<Record<string, ExitCode>> = {
  ERR_USAGE: exitCodes.usage,
  ERR_INVALID_VALUE: exitCodes.usage,
  ERR_INVALID_GUID: exitCodes.usage,
  ERR_NOT_FOUND: exitCodes.notFound,
  ERR_NO_DAEMON: exitCodes.noDaemon,
  ERR_NOT_READY: exitCodes.noDaemon,
  ERR_DEADLINE: exitCodes.timedOut,
  ERR_QUORUM: exitCodes.timedOut,
  ERR_ROUTE: exitCodes.timedOut,
  ERR_INTERRUPTED: exitCodes.interrupted,
}
