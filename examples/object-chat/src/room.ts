import { guidOf } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'
import type { ChatNode } from './node.ts'

/** Something that somebody said. */
export interface Line {
  readonly by: string
  readonly text: string
}

/** What a keeper answers: who it is, and all it knows of the room. */
export interface RoomView {
  readonly keeper: string
  readonly lines: readonly Line[]
}

/** Lines a keeper remembers. Full: the oldest goes. */
const mostLines = 50

/** Characters of a line; the rest is cut off. */
const mostText = 500

/** Most keepers of a room that hear what is said: as many as one message can be sent to. */
const mostKeepers = 16

/** The object that a room is. */
function roomGuid(room: string): Guid {
  return guidOf(toBytes(`room ${room}`))
}

/** Says something in the room: every keeper hears it. Returns who did; nobody when nobody keeps the room. */
export async function say(node: ChatNode, room: string, line: Line): Promise<string[]> {
  return whoAnswers(node, room, toBytes(JSON.stringify(line)))
}

/** Who keeps the room and can be reached. */
export async function keepersOf(node: ChatNode, room: string): Promise<string[]> {
  return whoAnswers(node, room, new Uint8Array())
}

/** What was said in the room, as its nearest keeper knows it; undefined when nobody keeps it. */
export async function read(node: ChatNode, room: string): Promise<RoomView | undefined> {
  return orNobody(async () => {
    for await (const reply of node.services.dolr.sendToObj(new Uint8Array(), roomGuid(room))) return viewIn(reply)
    return undefined
  })
}

/** Keeps the room from now on, with what others know of it. */
export async function keep(node: ChatNode, room: string, keeper: string): Promise<void> {
  let lines: readonly Line[] = (await read(node, room))?.lines ?? []
  await node.services.dolr.host(roomGuid(room), (message) => {
    if (message.length > 0) lines = [...lines, lineIn(message)].slice(-mostLines)
    return toBytes(JSON.stringify({ keeper, lines }))
  })
}

async function whoAnswers(node: ChatNode, room: string, message: Uint8Array): Promise<string[]> {
  const keepers: string[] = []
  await orNobody(async () => {
    for await (const reply of node.services.dolr.sendToObj(message, roomGuid(room), mostKeepers)) keepers.push(viewIn(reply).keeper)
  })
  return keepers
}

async function orNobody<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}

/** Messages come from anybody. What this throws refuses the message. */
function lineIn(message: Uint8Array): Line {
  const { by, text } = JSON.parse(fromBytes(message)) as Partial<Line>
  if (typeof by !== 'string' || typeof text !== 'string') throw new Error('a line has `by` and `text`')
  return { by: cut(by), text: cut(text) }
}

function viewIn(reply: Uint8Array): RoomView {
  const { keeper, lines } = JSON.parse(fromBytes(reply)) as RoomView
  return { keeper: cut(keeper), lines: lines.slice(-mostLines).map(({ by, text }) => ({ by: cut(by), text: cut(text) })) }
}

/** Without what a terminal might obey. */
function cut(text: string): string {
  return text.slice(0, mostText).replaceAll(/\p{Cc}/gu, '\ufffd')
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function fromBytes(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
