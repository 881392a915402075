import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { exitCodes } from './errors.ts'
import { Output } from './output/output.ts'
import { defaultOverlay, overlayNames } from './overlays.ts'
import { version } from './version.ts'
import type { Streams } from './output/output.ts'

/** Every command has these. */
interface CommonOptions {
  readonly json?: boolean
}

/** Runs `plaxton` with these arguments and resolves with the status to end with. Each command's code is loaded when it is called. */
export async function run(args: readonly string[], streams: Streams = process): Promise<number> {
  let status: number = exitCodes.ok
  const program = buildProgram(streams, (code) => {
    status = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    // Help and version were printed, or commander has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    throw error
  }
}

/** A command's function. What its options and arguments are is said beside its name, where commander checks them. */
// oxlint-disable-next-line no-explicit-any
type Run = (output: Output, options: any, ...args: any[]) => Promise<number | void>

function buildProgram(streams: Streams, end: (status: number) => void): Command {
  const program = new Command('plaxton')
    .description('Peer-to-peer middleware: objects are placed and found on whatever nodes are there.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(plaxton --help says what there is)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: (text) => streams.stderr.write(text) })
    .addHelpText('after', programHelp)

  const add = (usage: string, summary: string, load: () => Promise<Run>): Command =>
    program
      .command(usage)
      .description(summary)
      .option('--json', 'print one JSON document on stdout, nothing else')
      .action(async (...called: unknown[]) => {
        // Commander hands over the arguments, the options and the command.
        const options = called.at(-2) as CommonOptions
        const output = new Output(options.json === true, streams)
        try {
          const command = await load()
          end((await command(output, options, ...called.slice(0, -2))) ?? exitCodes.ok)
        } catch (error) {
          end(output.failure(error))
        }
      })
  const client: typeof add = (usage, summary, load) =>
    add(usage, summary, load).addOption(dataOption('of the daemon to talk to')).addOption(controlOption('of the daemon to talk to'))

  add(
    'up',
    'start a network on this computer, store real files in it, kill nodes, and give every byte back',
    async () => (await import('./commands/up.ts')).up,
  )
    .option('--nodes <count>', 'nodes to start', wholeNumber, 16)
    .option('--input <dir>', 'the folder to store (default: the files of this repository)')
    .option('--kill <count>', 'nodes to kill (default: 4, fewer in a small network)', wholeNumber)
    .addOption(overlayOption())
    .addOption(virtualNodesOption())
    .option('--data <dir>', "keep the nodes' data here (default: a temporary folder, removed at the end)")
    .option('--exit', 'end when all is done, with status 0 only if all of it held')
    .addHelpText('after', examples('plaxton up', 'plaxton up --exit --input ~/photos', 'plaxton up --nodes 3'))

  add('node', 'run a node until it is told to stop', async () => (await import('./commands/node.ts')).node)
    .option('--listen <multiaddr...>', 'where to listen (default: a free port of 127.0.0.1, the same again after a restart)')
    .option('--bootstrap <multiaddr...>', 'members of the network to join through; a restarted node also knows its last neighbours')
    .addOption(dataOption('of this node; made when it is missing'))
    .addOption(controlOption('to listen at for the commands below'))
    .option('--network <name>', 'nodes of different networks never meet (default: "default")')
    .addOption(overlayOption())
    .addOption(virtualNodesOption())
    .option(
      '--puzzle-bits <count>',
      'believe only nodes that solved a puzzle of so many bits, and solve it first: each bit doubles the work; the same in all of a network (default: 0)',
      wholeNumber,
    )
    .option('--config <file>', 'a JSON file with any of these; what is said here wins')
    .addHelpText(
      'after',
      examples(
        'plaxton node --data ./a',
        'plaxton node --data ./b --bootstrap /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…',
        'plaxton node --config plaxton.json',
      ),
    )

  client('put <path>', 'store a file or a folder; "-" is what comes in on stdin', async () => (await import('./commands/put.ts')).put)
    .option('--replicas <count>', 'copies of each block (default: 5)', wholeNumber)
    .addOption(new Option('--quorum <how>', 'wait for more than half of the copies, or for all').choices(['majority', 'all']))
    .option('--name <name>', 'its name in the catalog (default: the last part of the path)')
    .addHelpText(
      'after',
      examples('plaxton put report.pdf', 'plaxton put ./photos --quorum all', 'tar c . | plaxton put - --name backup.tar'),
    )

  client(
    'get <root>',
    'fetch a file or a folder by guid or CID; a path inside a folder may follow',
    async () => (await import('./commands/get.ts')).get,
  )
    .option('-o, --output <path>', 'write it there (default for a file: stdout)')
    .addHelpText(
      'after',
      examples('plaxton get bafkrei… > report.pdf', 'plaxton get bafybei… -o ./photos', 'plaxton get bafybei…/2026/beach.jpg -o beach.jpg'),
    )

  client(
    'rm <root>',
    'remove what was put through this daemon, but not what its other files share with it',
    async () => (await import('./commands/rm.ts')).rm,
  ).addHelpText('after', examples('plaxton rm bafkrei…'))

  client(
    'ls [root]',
    'list what was put through this daemon, or what is in a folder',
    async () => (await import('./commands/ls.ts')).ls,
  ).addHelpText('after', examples('plaxton ls', 'plaxton ls bafybei…/2026'))

  client('stat <root>', 'say who holds each block of a file or folder now', async () => (await import('./commands/stat.ts')).stat)
    .option('--ensure', 'restore missing copies first')
    .option('--replicas <count>', 'with --ensure: copies to restore (default: as many as were wanted)', wholeNumber)
    .addHelpText('after', examples('plaxton stat bafkrei…', 'plaxton stat bafybei… --ensure'))

  client(
    'publish <object>',
    'make known that this daemon has an object: a guid, a CID, or name:TEXT',
    async () => (await import('./commands/publish.ts')).publish,
  ).addHelpText('after', `${publishHelp}${examples('plaxton publish name:printer', 'plaxton publish bafkrei…')}`)

  client(
    'unpublish <object>',
    'take back what publish made known',
    async () => (await import('./commands/publish.ts')).unpublish,
  ).addHelpText('after', examples('plaxton unpublish name:printer'))

  client('locate <object>', 'say who hosts an object, the nearest first', async () => (await import('./commands/locate.ts')).locate)
    .option('-n <count>', 'so many hosts at most (default: as many as there are, up to 16)', wholeNumber)
    .addHelpText('after', examples('plaxton locate name:room1', 'plaxton locate name:room1 -n 1'))

  client(
    'send <object> [message]',
    'send a message to the nearest host of an object, and print its reply; without one, what comes in on stdin',
    async () => (await import('./commands/send.ts')).send,
  )
    .option('-n <count>', 'send it to so many hosts, the nearest ones (default: 1)', wholeNumber)
    .option('--timeout <seconds>', 'wait so long for replies (default: 10)', wholeNumber)
    .addHelpText(
      'after',
      examples('plaxton send name:room1 hello', 'plaxton send name:room1 < question.txt', 'plaxton send name:room1 "who is there?" -n 5'),
    )

  client(
    'host <object...>',
    'publish objects, and answer each message to them with what a command makes of it, until Ctrl-C',
    async () => (await import('./commands/host.ts')).host,
  )
    .requiredOption('--exec <command>', 'what a shell runs for each message: the message on stdin, the reply on stdout')
    .option('--timeout <seconds>', 'kill a command that takes longer', wholeNumber, 10)
    .option('--jobs <count>', 'commands that run at a time; other messages wait', wholeNumber, 4)
    .addHelpText('after', `${hostHelp}${examples('plaxton host name:clock --exec date', "plaxton host name:a name:b --exec 'tr a-z A-Z'")}`)

  client('peers', 'list the neighbours of this node and its connections', async () => (await import('./commands/peers.ts')).peers)
  client(
    'lookup <key>',
    'walk to the node responsible for a guid or CID',
    async () => (await import('./commands/lookup.ts')).lookup,
  ).addHelpText('after', examples('plaxton lookup bafkrei…'))
  client('status', 'say how the daemon is', async () => (await import('./commands/status.ts')).status)

  // Its options are the lab's own affair, --help and --json among them.
  program
    .command('lab [words...]')
    .description(
      'compare the overlays in the simulator, repeat their papers’ experiments, and measure what is claimed for them; needs the package @plaxton/lab',
    )
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      try {
        end(await (await import('./commands/lab.ts')).lab(words, streams))
      } catch (error) {
        end(new Output(words.includes('--json'), streams).failure(error))
      }
    })
  return program
}

function dataOption(whose: string): Option {
  return new Option('--data <dir>', `data folder ${whose}`)
}

function controlOption(whose: string): Option {
  return new Option('--control <path>', `control socket ${whose}`)
}

function overlayOption(): Option {
  return new Option('--overlay <name>', `the routing overlay: ${overlayNames.join(', ')} (default: "${defaultOverlay}")`)
}

function virtualNodesOption(): Option {
  return new Option('--virtual-nodes <count>', 'ids each node has in the overlay, for an even load (default: 1)').argParser(wholeNumber)
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is no whole number.')
  return Number(text)
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}

const publishHelp = `
Messages to an object that is published and not hosted go to its other hosts. What is published stays so while the daemon runs.
`

const hostHelp = `
A command that ends with another status than 0 refuses the message, with the first line it wrote to stderr as the reason. It finds the object in the
environment, as PLAXTON_OBJECT the way it is named here and as PLAXTON_GUID.
`

const programHelp = `
An object is a guid of 64 hex digits, a CID, or name:TEXT, which stands for the SHA-256 of just these characters.

Which daemon the commands talk to: --control, --data, the environment variable PLAXTON_CONTROL, or the default data folder, in this order.

Exit status: 0 done, 1 failed, 2 called wrongly, 3 not found, 4 no daemon or not ready, 5 timed out or too few copies, 130 interrupted.

Examples:
  $ plaxton up                          # a network of 16 nodes on this computer, to try things on
  $ plaxton node --data ./a             # one node that stays
  $ plaxton put report.pdf --data ./a
  $ plaxton get bafkrei… --data ./a > copy.pdf`
