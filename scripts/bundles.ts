import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes of a bundle. */
export interface Size {
  readonly minified: number
  readonly gzipped: number
}

/**
 * Bundles a program for a browser, minified, from the sources of this repository. Throws when it needs a module of Node, as bundlers of today have no
 * polyfills for those. With `globalName` it is a script that leaves its exports under that name, else a module.
 */
export async function bundle(program: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    target: 'es2023',
    conditions: ['plaxton-source'],
    logLevel: 'silent',
    ...(globalName === undefined ? { format: 'esm' } : { format: 'iife', globalName }),
  })
  return outputFiles[0]!.text
}

/** What a program pays that uses everything of the package, with all that the package imports. */
export async function sizeOf(packageName: string): Promise<Size> {
  const bytes = Buffer.from(await bundle(`export * from '${packageName}'`))
  return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }
}

/** The sentence of a README, and what it says. */
export function sizeSentence({ minified, gzipped }: Size): string {
  return `${kilobytes(minified)} kB minified, ${kilobytes(gzipped)} kB gzipped, with everything it imports (\`npm run sizes\`).`
}

export const sizePattern = /([\d.]+) kB minified, ([\d.]+) kB gzipped, with everything it imports \(`npm run sizes`\)\./

/** In bytes; undefined where the README says nothing. */
export function saidSize(readme: string): Size | undefined {
  const [, minified, gzipped] = sizePattern.exec(readme) ?? []
  return minified === undefined ? undefined : { minified: Math.round(1000 * Number(minified)), gzipped: Math.round(1000 * Number(gzipped)) }
}

/** Rounded up, so that what is said is kept. */
function kilobytes(bytes: number): string {
  return (Math.ceil(bytes / 100) / 10).toFixed(1)
}
