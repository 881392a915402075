import { connect } from 'node:net'
import { NoDaemonError } from '../errors.ts'
import { socketAddress } from './address.ts'
import type { Socket } from 'node:net'

/** A connection must stand within this time: it is local. */
const connectWithinMs = 5_000

/** Connects to the daemon that listens at `path`. Rejects with `NoDaemonError` when none does. */
export function openSocket(path: string): Promise<Socket> {
  const address = socketAddress(path)
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    const timer = setTimeout(() => fail(Object.assign(new Error('it does not answer'), { code: 'ETIMEDOUT' })), connectWithinMs)
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(noOneThere.has(error.code ?? '') ? new NoDaemonError(path, hint) : error)
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

/** No socket, one that a killed daemon left, a path through something that is no folder, something that is no socket. */
const noOneThere = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK', 'ETIMEDOUT'])

const hint = 'start one with `plaxton node --data DIR`, or say with --data or --control where yours is'

/** Whether a daemon listens at `path`. */
export async function isAnswered(path: string): Promise<boolean> {
  try {
    const socket = await openSocket(path)
    socket.destroy()
    return true
  } catch (error) {
    if (error instanceof NoDaemonError) return false
    throw error
  }
}
