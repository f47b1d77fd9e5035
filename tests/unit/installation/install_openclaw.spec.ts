import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { place } from '../../../bin/install_openclaw.mjs'

test.group('An installation of OpenClaw', (group) => {
  let parent: string

  group.each.setup(() => {
    parent = mkdtempSync(join(tmpdir(), 'mosaic-openclaw-'))
    return () => rmSync(parent, { recursive: true })
  })

  /** Makes a folder as npm leaves it, by which it is known whose it was. */
  const made = (name: string) => {
    const folder = join(parent, name)
    mkdirSync(join(folder, 'node_modules/openclaw'), { recursive: true })
    writeFileSync(join(folder, 'node_modules/openclaw/package.json'), '{}')
    writeFileSync(join(folder, 'by'), name)
    return folder
  }

  test('stays where a second one is finished: agents run from it', async ({ assert }) => {
    const target = join(parent, '1.0.0')
    const [first, second] = [made('first'), made('second')]
    assert.equal(await place(first, target), 'installed')
    assert.equal(await place(second, target), 'present')
    assert.equal(readFileSync(join(target, 'by'), 'utf8'), 'first')
    assert.isFalse(existsSync(second))
  })

  test('takes the place of what is no complete one', async ({ assert }) => {
    const target = join(parent, '1.0.0')
    mkdirSync(join(target, 'node_modules'), { recursive: true })
    assert.equal(await place(made('first'), target), 'installed')
    assert.equal(readFileSync(join(target, 'by'), 'utf8'), 'first')
  })
})
