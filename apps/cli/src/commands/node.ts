import { constants } from 'node:os'
import { shortGuid } from '@plaxton/guid'
import { bootstrapOutcome } from '../daemon/bootstrap-outcome.ts'
import { daemonConfig } from '../daemon/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { exitCodes } from '../errors.ts'
import { formatDuration } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { joinCommand } from './join-command.ts'
import type { BootstrapOutcome } from '../daemon/bootstrap-outcome.ts'
import type { DaemonFlags } from '../daemon/config.ts'
import type { ExitCode } from '../errors.ts'
import type { Output } from '../output/output.ts'

/** A node that is told to stop has this long to hand over and close. */
const stopWithinMs = 15_000

/** `plaxton node`: runs until it is told to stop. */
export async function node(output: Output, flags: DaemonFlags & { readonly json?: boolean }): Promise<ExitCode> {
  const { json: _, ...rest } = flags
  const config = await daemonConfig(rest)
  const stop = stopSignal()
  const daemon = await Daemon.start(config)
  const { overlay, multiaddrs } = daemon.node
  overlay.addEventListener('host:fault', ({ detail }) => {
    process.stderr.write(
      `plaxton: a bug, please report it: ${detail.error.stack ?? detail.error.message} (while handling ${detail.during})\n`,
    )
  })
  if (config.bootstrap.length > 0) output.note(`joining the network "${config.network}"`)
  const startedAt = performance.now()
  const ready = overlay.whenReady({ signal: stop.signal }).then(
    () => {
      const { id } = overlay.self
      const outcome = bootstrapOutcome(daemon.node, config.bootstrap)
      if (output.json) {
        const line = {
          type: 'ready',
          id,
          peerId: daemon.node.libp2p.peerId.toString(),
          multiaddrs,
          control: daemon.controlPath,
          data: config.data,
          pid: process.pid,
          ...outcome,
        }
        process.stdout.write(`${JSON.stringify(line)}\n`)
        return
      }
      process.stdout.write(`ready as ${id} at ${multiaddrs.join(' ')}\n`)
      const dim = (text: string): string => paint('dim', text, process.stderr)
      for (const line of loneliness(outcome, config.network)) output.note(line)
      const took = formatDuration(performance.now() - startedAt)
      output.note(dim(`${outcome.alone ? 'ready' : 'joined'} in ${took}; Ctrl-C leaves the network`))
      output.note(dim(`others join with   ${joinCommand(daemon.node)}`))
      output.note(dim(`to talk to it      plaxton status --control ${daemon.controlPath}`))
    },
    () => {},
  )

  await stop.received
  await ready
  output.note(`${shortGuid(overlay.self.id)} hands over and leaves; a second signal ends it at once`)
  const stopped = await Promise.race([daemon.stop().then(() => true), expired(stopWithinMs)])
  if (!stopped)
    output.note(`plaxton: not all was handed over within ${formatDuration(stopWithinMs)}; the others restore it from their copies`)
  return stopped ? exitCodes.ok : exitCodes.failed
}

/** What to tell of a node that was to join others and found none of its network. */
function loneliness({ silent, elsewhere }: BootstrapOutcome, network: string): string[] {
  if (silent.length + elsewhere.length === 0) return []
  return [
    `no node of the network "${network}" answers at the bootstrap addresses: this node is alone for now, and goes on trying`,
    ...silent.map((address) => `  no answer from ${address}`),
    ...elsewhere.map(
      (address) => `  ${address} answers, but is not in this network: perhaps another --network, --overlay or --puzzle-bits is meant`,
    ),
  ]
}

/** The first SIGINT, SIGTERM or SIGHUP asks to stop; the second ends the process. */
function stopSignal(): { readonly signal: AbortSignal; readonly received: Promise<void> } {
  const asked = new AbortController()
  const received = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (asked.signal.aborted) process.exit(128 + constants.signals[name])
        asked.abort(new Error(`received ${name}`))
        resolve()
      })
    }
  })
  return { signal: asked.signal, received }
}

function expired(ms: number): Promise<false> {
  return new Promise((resolve) => void setTimeout(() => resolve(false), ms).unref())
}
