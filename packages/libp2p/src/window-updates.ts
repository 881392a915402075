import type { Stream } from '@libp2p/interface'

/** What of a yamux stream is used here, beyond libp2p's interface. */
interface YamuxStream {
  /** Bytes the peer may have under way, and how many of them it has not used. */
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
}

/**
 * Has a yamux stream grant new window when half of the old is used up, as other implementations do. `@libp2p/yamux` 8.0.3 grants it after each
 * data frame it receives, so that each small message costs a second frame, encrypted and written like the first. The peer is never held up:
 * half a window is left to it while the grant is on its way. Any other muxer's stream is left as it is.
 */
export function grantWindowByHalves(stream: Stream): void {
  if (!isYamux(stream)) return
  const grant = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    if (stream.recvWindowCapacity <= stream.recvWindow / 2) grant()
  }
}

function isYamux(stream: object): stream is YamuxStream {
  const { recvWindow, recvWindowCapacity, sendWindowUpdate } = stream as Partial<YamuxStream>
  return typeof recvWindow === 'number' && typeof recvWindowCapacity === 'number' && typeof sendWindowUpdate === 'function'
}
