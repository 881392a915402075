import { run } from '../src/lab.ts'

/** Calls the lab with these words; what it wrote, and the status it ended with. */
export async function lab(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const status = await run(args, { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } })
  return { status, out, err }
}
