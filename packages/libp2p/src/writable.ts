import type { Stream, StreamCloseEvent } from '@libp2p/interface'

/**
 * Resolves when `stream` may be written again; rejects when it closes first. In place of `stream.onDrain()`, whose promise is never
 * renewed (`@libp2p/utils` 7.4.1): from the second wait on it resolves at once and everything piles up in memory.
 */
export function writable(stream: Stream): Promise<void> {
  if (!stream.writableNeedsDrain) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const onDrain = (): void => {
      stream.removeEventListener('close', onClose)
      resolve()
    }
    const onClose = (event: StreamCloseEvent): void => {
      stream.removeEventListener('drain', onDrain)
      reject(event.error ?? new Error('the stream closed'))
    }
    stream.addEventListener('drain', onDrain, { once: true })
    stream.addEventListener('close', onClose, { once: true })
  })
}

/** Runs `task` after everything that is ready now. Coalesces across the sockets of one poll phase, which a microtask does not. */
export const nextTurn: (task: () => void) => void =
  typeof setImmediate === 'function' ? (task) => void setImmediate(task) : (task) => void setTimeout(task, 0)
