import type { LinkComponents } from './link-init.ts'

/** Longest wait for listeners at the start. On this machine's own interfaces they take milliseconds. */
const listenMs = 500

/**
 * Resolves when as many listeners are up as there are addresses to listen on. A relay's may come much later and others not at all, so
 * there is an end to waiting.
 */
export function listenersUp({ addressManager, events }: Pick<LinkComponents, 'addressManager' | 'events'>): Promise<void> {
  let missing = addressManager.getListenAddrs().length
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      events.removeEventListener('transport:listening', onListening)
      resolve()
    }
    const onListening = (): void => {
      missing--
      if (missing <= 0) end()
    }
    const timer = setTimeout(end, listenMs)
    events.addEventListener('transport:listening', onListening)
    if (missing === 0) end()
  })
}
