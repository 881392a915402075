import { PlaxtonError } from '@plaxton/kbr'

/** A peer broke the link protocol; its stream is reset and the breach counted. Never reaches a caller. */
export class LinkProtocolError extends PlaxtonError {
  constructor(message: string) {
    super('LinkProtocolError', 'ERR_LINK_PROTOCOL', message)
  }
}
