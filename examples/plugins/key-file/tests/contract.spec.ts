import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import { vaultSuite } from '@mosaic/plugin-kit/testing'
import { KeyFileVault } from '../src/vault.ts'

const HERE = { table: 'llm_providers', column: 'api_key', rowId: 'row-1' }

/** Key-file line for each key name used by the suite. */
const lineOf = (name: string) => createHash('sha256').update(name).digest('base64')

async function trial() {
  const folder = await mkdtemp(join(tmpdir(), 'key-file-'))
  let files = 0
  const write = async (text: string, mode = 0o600) => {
    const path = join(folder, `keys-${++files}`)
    await writeFile(path, text)
    await chmod(path, mode)
    return path
  }
  return {
    write,
    open: async (names: string[]) =>
      new KeyFileVault({ path: await write(`# Keys\n${names.map(lineOf).join('\n')}\n`) }),
    broken: async () => new KeyFileVault({ path: join(folder, 'missing') }),
    close: () => rm(folder, { recursive: true }),
  }
}

vaultSuite(test, { name: 'key-file', prepare: trial })

test.group('Key file', () => {
  test('is refused when {does}')
    .with([
      {
        does: 'others can read it',
        text: lineOf('old'),
        mode: 0o640,
        says: /Others than its owner/,
      },
      { does: 'it is empty', text: '# No key yet\n', mode: 0o600, says: /holds no key/ },
      { does: 'a key is short', text: 'c2hvcnQ=\n', mode: 0o600, says: /not a key/ },
    ])
    .run(async ({ assert, cleanup }, { text, mode, says }) => {
      const { write, close } = await trial()
      cleanup(close)
      const vault = new KeyFileVault({ path: await write(text, mode) })
      const [finding] = await vault.preflight()
      assert.match(finding.message, says)
      assert.match(finding.hint, /openssl rand/)
      await assert.rejects(() => vault.seal('secret', HERE), says)
    })

  test('is read again once it is mended', async ({ assert, cleanup }) => {
    const { write, close } = await trial()
    cleanup(close)
    const path = await write('', 0o600)
    const vault = new KeyFileVault({ path })
    assert.lengthOf(await vault.preflight(), 1)
    await writeFile(path, lineOf('new'))
    assert.deepEqual(await vault.preflight(), [])
    assert.equal(await vault.open(await vault.seal('secret', HERE), HERE), 'secret')
  })
})
