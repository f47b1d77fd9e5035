import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { ProcTable } from '#runtimes/drivers/process/proc_table'

const MEGABYTE = 1024 * 1024
const MARK = { MOSAIC_INSTANCE: '0123456789abcdef' }
const MARKED = 'MOSAIC_INSTANCE=0123456789abcdef\0'

test.group('The table of processes', (group) => {
  let root: string

  group.each.setup(() => {
    root = mkdtempSync(join(tmpdir(), 'mosaic-proc-'))
    return () => rmSync(root, { recursive: true })
  })

  /** Adds a running process. Returns a function from the name of one of its files to its path. */
  function add(pid: number, files: Record<string, string>): (file: string) => string {
    const folder = join(root, `${pid}`)
    mkdirSync(folder)
    const stat = `${pid} (node) S 1 ${pid} ${pid} ${'0 '.repeat(15)}77`
    for (const [name, text] of Object.entries({ stat, ...files })) {
      writeFileSync(join(folder, name), text)
    }
    return (file) => join(folder, file)
  }

  const marked = () => new ProcTable(root).withVariable(MARK)

  test('finds whoever inherited a variable, first, last or between others', async ({ assert }) => {
    add(2, { environ: MARKED })
    add(3, { environ: `PATH=/bin\0${MARKED}` })
    add(4, { environ: `PATH=/bin\0${MARKED}HOME=/\0` })
    add(5, { environ: `PATH=/bin\0MY_${MARKED}` })
    add(6, { environ: 'MOSAIC_INSTANCE=0123456789abcdef0\0' })
    add(7, { environ: '' })
    assert.sameMembers(await marked(), [2, 3, 4])
  })

  test('reads no more than the start of an environment that a process made', async ({ assert }) => {
    const huge = add(2, { environ: MARKED })('environ')
    truncateSync(huge, 200 * MEGABYTE)
    const behind = add(3, { environ: '' })('environ')
    truncateSync(behind, MEGABYTE)
    writeFileSync(behind, MARKED, { flag: 'a' })
    add(4, { environ: MARKED })
    assert.sameMembers(await marked(), [2, 4])
  })

  test('knows the user of a process in more groups than a status is read for', async ({
    assert,
  }) => {
    const many = Array.from({ length: 20_000 }, (_, at) => 100_000 + at).join(' ')
    const users = 'Uid:\t320001\t320001\t320001\t320001\n'
    add(2, { status: `Name:\tnode\n${users}Groups:\t${many}\n` })
    add(3, { status: `Name:\tnode\nUid:\t320002\t320002\t320002\t320002\n` })
    add(4, { status: `Name:\tnode\n${many}\n${users}` })
    assert.deepEqual(await new ProcTable(root).ofUser(320_001), [2])
  })
})
