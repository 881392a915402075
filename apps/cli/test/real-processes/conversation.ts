// npm run soak:objects -w apps/cli [-- OVERLAY]: a conversation with an object whose hosts are killed. 8 daemons as real processes, four of them
// with a `plaxton host` for the same object; one other daemon sends messages without a pause while hosts are ended with SIGKILL, one after the other, and come
// back. Ends with status 0 only if every single message was answered, by the first call. Takes a minute or two.

import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { callDaemon } from '../../src/control/client.ts'
import { formatDuration } from '../../src/output/format.ts'
import { defaultOverlay } from '../../src/overlays.ts'
import { DaemonProcess, spawnPlaxton } from '../support/plaxton-process.ts'
import { temporaryFolder } from '../support/temporary.ts'
import type { ChildProcess } from 'node:child_process'

const [overlay = defaultOverlay] = process.argv.slice(2)
const object = 'name:talk'
const daemonCount = 8
const hostCount = 4

/** Whose daemon is killed, in this order; the last is the client alone, whose daemon lives. */
const kills = [1, 2, 3, 1, 4, 2]
const killEveryMs = 3_000
const restartAfterMs = 2_500

const startedAt = performance.now()
const say = (line: string): void => console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)

const folder = await temporaryFolder()
const daemons: DaemonProcess[] = []
const hosts: ChildProcess[] = []
const took: number[] = []
const failures: string[] = []
const answeredBy = new Map<string, number>()
let isOver = false

try {
  for (let number = 0; number < daemonCount; number++) {
    const bootstrap = number === 0 ? [] : ['--bootstrap', daemons[0]!.ready.multiaddrs[0]!]
    daemons.push(new DaemonProcess(join(folder.path, `d${number}`), ['--overlay', overlay, ...bootstrap]))
    await daemons[number]!.start()
  }
  for (let number = 1; number <= hostCount; number++) await host(number)
  say(`${daemonCount} daemons over ${overlay}, ${hostCount} of them host the object`)

  const talking = talk()
  for (const number of kills) {
    await delay(killEveryMs)
    await daemons[number]!.end('SIGKILL')
    say(`kill -9 of daemon ${number}`)
    await delay(restartAfterMs)
    await daemons[number]!.start()
    await host(number)
    say(`  it is back and hosts again`)
  }
  hosts[hostCount]!.kill('SIGKILL')
  say(`kill -9 of the client of daemon ${hostCount}`)
  await delay(killEveryMs)
  isOver = true
  await talking

  took.sort((a, b) => a - b)
  const [median, p99, slowest] = [0.5, 0.99, 1].map((share) => formatDuration(took[Math.ceil(share * took.length) - 1]!))
  const counts = Array.from(hosts.keys(), (number) => `host ${number}: ${answeredBy.get(`${number}`) ?? 0}`).slice(1)
  say(
    `${took.length - failures.length} of ${took.length} messages answered (${counts.join(', ')}); median ${median}, 99 % ${p99}, slowest ${slowest}`,
  )
  process.exitCode = failures.length === 0 ? 0 : 1
} catch (error) {
  say(`failed: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  isOver = true
  for (const child of hosts) child?.kill('SIGKILL')
  await Promise.all(daemons.map((daemon) => daemon.end('SIGKILL')))
  await folder.remove()
}

/** Has a client of that daemon host the object; resolves when it does. */
async function host(number: number): Promise<void> {
  const child = spawnPlaxton(['host', object, '--exec', `printf "${number} "; cat`, '--json', '--data', daemons[number]!.data])
  hosts[number] = child
  await once(child.stdout!, 'data')
}

/** Sends one message after the other through a daemon that is never killed. */
async function talk(): Promise<void> {
  while (!isOver) {
    const message = `message ${took.length}`
    const sentAt = performance.now()
    try {
      const [by, text] = (await send(message)).split(/ (.*)/) as [string, string]
      if (text !== message) throw new Error(`the answer was ${JSON.stringify(text)}`)
      answeredBy.set(by, (answeredBy.get(by) ?? 0) + 1)
    } catch (error) {
      failures.push((error as Error).message)
      say(`  ${message}: ${(error as Error).message}`)
    }
    took.push(performance.now() - sentAt)
  }
}

async function send(message: string): Promise<string> {
  let reply = ''
  await callDaemon({
    path: daemons[0]!.control,
    command: 'send',
    arguments: { object },
    onQuestion: async () => ({ header: { type: 'data' }, body: Buffer.from(message) }),
    onFrame: ({ body }) => {
      reply = Buffer.from(body ?? []).toString('utf8')
    },
  })
  return reply
}
