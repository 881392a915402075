/** Why a link dropped something. */
export type LinkDrop =
  /** A frame or block found its queue full. */
  | 'queue full'
  /** A frame or block was queued for a peer that could not be reached, or whose connection ended. */
  | 'peer down'
  /** A frame longer than any may be; a bug of the sender's stack. */
  | 'too long'
  /** A frame to a node of which a stranger spoke under an id that is not the one of its PeerId. */
  | 'false reference'
  /** A frame for a virtual node that does not run here, or from one that its host may not have. */
  | 'no such node'
  /** A stranger's stream was reset: bad framing, a wrong hello, too slow, too much. */
  | 'stream reset'
  /** A receiver of frames threw: a bug here. */
  | 'receiver failed'

/** What a link has done since it opened; whole numbers that only grow. Blocks are counted among the frames too. */
export class LinkCounters {
  framesSent = 0
  framesReceived = 0
  bytesSent = 0
  bytesReceived = 0
  blocksSent = 0
  blocksReceived = 0
  /** Frames between virtual nodes of this host; in none of the numbers above. */
  framesLocal = 0
  /** Writes to held streams; `framesSent / writes` tells how well frames are coalesced. */
  writes = 0
  dials = 0
  dialsFailed = 0
  streamsOpened = 0
  streamsAccepted = 0
  readonly dropped: Record<LinkDrop, number> = {
    'queue full': 0,
    'peer down': 0,
    'too long': 0,
    'false reference': 0,
    'no such node': 0,
    'stream reset': 0,
    'receiver failed': 0,
  }

  drop(reason: LinkDrop, count = 1): void {
    this.dropped[reason] += count
  }
}
