import { InvalidValueError } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'

/** The line between a host and the network. */
export interface AccessLinkConfig {
  /** Bytes a second that a host can send. */
  readonly up: number
  /** Bytes a second that it can receive. */
  readonly down: number
  /** How long a message may wait for those before it, in either direction; if it would wait longer it is lost. */
  readonly queueMs: Millis
}

/** Bytes that IPv4 and UDP put before each message. */
export const packetHeader = 28

/**
 * One line up and one down for each host, with a queue before each: a message takes the line for its length by the rate, and waits until those before it are through. A queue that is full loses
 * what comes, as routers do.
 */
export class AccessLinks {
  private readonly config: AccessLinkConfig
  /** By host: when the line is free, in milliseconds and fractions of them. */
  private readonly upFreeAt: number[] = []
  private readonly downFreeAt: number[] = []

  constructor(config: AccessLinkConfig) {
    for (const field of ['up', 'down', 'queueMs'] as const) {
      if (!(config[field] > 0)) throw new InvalidValueError(field, config[field], 'more than 0')
    }
    this.config = config
  }

  /** Milliseconds until a message of so many bytes has left the host; undefined when its queue is full. */
  leaves(host: number, bytes: number, now: Millis): number | undefined {
    return this.pass(this.upFreeAt, host, bytes / this.config.up, now)
  }

  /** Milliseconds until a message that is at the host's line now has come in. */
  arrives(host: number, bytes: number, now: Millis): number | undefined {
    return this.pass(this.downFreeAt, host, bytes / this.config.down, now)
  }

  private pass(freeAt: number[], host: number, seconds: number, now: Millis): number | undefined {
    const begins = Math.max(now, freeAt[host] ?? 0)
    if (begins - now > this.config.queueMs) return undefined
    freeAt[host] = begins + 1000 * seconds
    return freeAt[host] - now
  }
}
