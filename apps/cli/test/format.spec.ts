import assert from 'node:assert/strict'
import { formatBytes, formatCount, formatDuration, formatTable, printable, widthOf } from '../src/output/format.ts'

describe('what a person reads', () => {
  it('has sizes in binary units', () => {
    const sizes = [0, 1, 1023, 1024, 1536, 1024 ** 2 - 1, 1024 ** 2, 5.5 * 1024 ** 3, 2 * 1024 ** 5]
    assert.deepEqual(sizes.map(formatBytes), ['0 B', '1 B', '1023 B', '1.0 KiB', '1.5 KiB', '1.0 MiB', '1.0 MiB', '5.5 GiB', '2.0 PiB'])
  })

  it('has durations in two units at most', () => {
    const durations = [0, 0.44, 9.94, 12.3, 999.4, 999.6, 1300, 59_949, 59_951, 125_000, 3_600_000, 11_040_000, 2 * 86_400_000, 455_000_000]
    const texts = [
      '0 ms',
      '0.4 ms',
      '9.9 ms',
      '12 ms',
      '999 ms',
      '1.0 s',
      '1.3 s',
      '59.9 s',
      '1 min',
      '2 min 5 s',
      '1 h',
      '3 h 4 min',
      '2 d',
      '5 d 6 h',
    ]
    assert.deepEqual(durations.map(formatDuration), texts)
  })

  it('has counts with their noun', () => {
    assert.deepEqual(
      [formatCount(0, 'file'), formatCount(1, 'file'), formatCount(12_345, 'file'), formatCount(2, 'copy', 'copies')],
      ['0 files', '1 file', '12,345 files', '2 copies'],
    )
  })

  it('has columns that stand under each other, colours or not', () => {
    const green = '\u001b[32mok\u001b[39m'
    assert.equal(
      formatTable(
        [
          ['a', '1', green],
          ['long', '100', 'x'],
        ],
        [1],
      ),
      `a       1  ${green}\nlong  100  x`,
    )
    assert.equal(widthOf(green), 2)
  })

  it('has nothing in it that a terminal would obey', () => {
    assert.equal(printable('a\u001b[2Jb\nc\u202ed\u0000'), 'a\ufffd[2Jb\ufffdc\ufffdd\ufffd')
    assert.equal(printable('Übergrößenträger 文件.txt'), 'Übergrößenträger 文件.txt')
  })
})
