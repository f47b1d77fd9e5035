import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from '@japa/runner'
import { AgentFolder } from '#runtimes/drivers/process/agent_folder'
import { unpack } from '#runtimes/drivers/process/data'
import { RuntimeError } from '#runtimes/errors'

test.group('Data that the process driver cannot unpack', (group) => {
  let root: string

  group.each.setup(() => {
    root = mkdtempSync(join(tmpdir(), 'mosaic-data-'))
    return () => rmSync(root, { recursive: true })
  })

  async function failureOf(data: Buffer): Promise<RuntimeError> {
    const folder = new AgentFolder(root, null)
    mkdirSync(folder.incoming, { recursive: true })
    const { signal } = new AbortController()
    const failure = unpack(folder, folder.incoming, Readable.from([data]), signal)
    const error = await failure.catch((thrown: unknown) => thrown)
    if (!(error instanceof RuntimeError)) throw new Error('It did not fail', { cause: error })
    return error
  }

  /** Returns an archive with a file where the agent's folder has a folder that is not empty. */
  function inTheWay(name: string): Buffer {
    mkdirSync(join(root, 'source'))
    writeFileSync(join(root, 'source', name), 'text')
    mkdirSync(join(root, 'incoming', name, 'full'), { recursive: true })
    return spawnSync('tar', ['--create', '--directory', join(root, 'source'), '.']).stdout
  }

  test('is told with its cause, and without the name of a file that {title}')
    .with([
      { title: 'says something', name: 'divorce.txt' },
      { title: 'has lines', name: 'divorce\nx: No space left on device' },
      { title: 'sounds like a cause', name: 'No space left on device' },
      { title: 'is as long as names can be', name: `divorce ${'\x01'.repeat(240)}` },
    ])
    .run(async ({ assert }, { name }) => {
      const { message, reason, help } = await failureOf(inTheWay(name))
      assert.match(message, /^The data of the agent could not be moved: [A-Z][a-z ]+\.$/)
      assert.notInclude(message, 'No space left')
      assert.equal(reason, 'internal')
      assert.isNotEmpty(help)
    })

  test('is told where it is no archive', async ({ assert }) => {
    const { message } = await failureOf(Buffer.alloc(2048, 'no archive'))
    assert.include(message, 'This does not look like a tar archive.')
  })
})
