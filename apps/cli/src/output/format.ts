/** `1.2 MiB`, in binary units. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes
  let unit = -1
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1)} ${byteUnits[unit]}`
}

const byteUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `8 ms`, `1.3 s`, `2 min 5 s`, `3 h 4 min`, `5 d 6 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${ms < 9.95 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (hours === 0) return two(minutes, 'min', seconds % 60, 's')
  const days = Math.floor(hours / 24)
  return days === 0 ? two(hours, 'h', minutes % 60, 'min') : two(days, 'd', hours % 24, 'h')
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** `1 file`, `3 files`, `12,345 files`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** Columns padded to their widest cell; those in `right` are aligned to the right. Cells may hold colours. */
export function formatTable(rows: ReadonlyArray<readonly string[]>, right: readonly number[] = []): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - widthOf(cell))
        return right.includes(column) ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

/** Characters a terminal shows: colours take none. */
export function widthOf(text: string): number {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '').length
}

/** Text of strangers with what a terminal might obey replaced: control characters, and those that turn the writing direction. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}
