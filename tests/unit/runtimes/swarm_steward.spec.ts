import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'

const STEWARD = new URL('../../../docker/agent/steward.mjs', import.meta.url).pathname
const FOREIGN = 3

test.group('The steward of a swarm', (group) => {
  let folder: string

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-steward-'))
    return () => rmSync(folder, { recursive: true })
  })

  for (const [whose, file, content] of [
    ['nobody says whose', 'document', 'x'],
    ['another agent has', 'owner', 'installation mosaic-user-xyz'],
  ]) {
    test(`leaves data as it is that ${whose}`, ({ assert }) => {
      writeFileSync(join(folder, file), content)
      chmodSync(folder, 0o750)
      const args = [STEWARD, 'prepare', 'installation mosaic-user-abc']
      const { status } = spawnSync(process.execPath, args, { env: { MOSAIC_DATA: folder } })
      assert.equal(status, FOREIGN)
      assert.equal(statSync(folder).mode & 0o777, 0o750)
      assert.deepEqual(readdirSync(folder), [file])
    })
  }
})
