/** True for a listen address that only this computer can reach. */
export function isLoopback(address: string): boolean {
  return /^\/(?:ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/.test(address)
}

/** A listen address of port 0 with the port it came to, found among the addresses the node has; undefined for other addresses. */
export function portCameTo(listen: string, actual: readonly string[]): string | undefined {
  const wanted = partsOf(listen)
  if (wanted?.port !== 0) return undefined
  for (const address of actual) {
    const found = partsOf(address)
    if (found === undefined || found.family !== wanted.family || found.rest !== wanted.rest) continue
    if (found.ip === wanted.ip || wanted.ip === '0.0.0.0' || wanted.ip === '::') {
      return `/${wanted.family}/${wanted.ip}/tcp/${found.port}${wanted.rest}`
    }
  }
  return undefined
}

interface Parts {
  readonly family: string
  readonly ip: string
  readonly port: number
  /** What follows the port, such as `/ws`, without the PeerId. */
  readonly rest: string
}

function partsOf(address: string): Parts | undefined {
  const match = /^\/(ip[46])\/([^/]+)\/tcp\/(\d+)((?:\/(?!p2p\/)[^/]+)*)/.exec(address)
  if (match === null) return undefined
  const [, family = '', ip = '', port = '', rest = ''] = match
  return { family, ip, port: Number(port), rest }
}
