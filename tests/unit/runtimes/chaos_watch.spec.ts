import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { until } from '#tests/contracts/until'
import { AgentFolder, FOLDER_MARK } from '#runtimes/drivers/process/agent_folder'
import { ProcessWatch } from '../../../chaos/process_watch.js'

/** A program that waits, with the words of a gateway. */
const GATEWAY = ['-e', 'setInterval(() => {}, 1000)', 'openclaw.mjs']

test.group('The watch for two gateways of an agent', (group) => {
  let agents: string
  let watch: ProcessWatch
  let running: ChildProcess[]

  group.each.setup(() => {
    agents = realpathSync(mkdtempSync(join(tmpdir(), 'mosaic-watch-')))
    running = []
    watch = new ProcessWatch(agents)
    return () => {
      watch.stop()
      for (const child of running) child.kill('SIGKILL')
      rmSync(agents, { recursive: true })
    }
  })

  function start(name: string): void {
    const path = join(agents, name)
    mkdirSync(path, { recursive: true })
    const env = { ...process.env, [FOLDER_MARK]: new AgentFolder(path, null).mark }
    running.push(spawn('node', GATEWAY, { env, stdio: 'ignore' }))
  }

  test('finds those of one agent, and only them', async ({ assert }) => {
    assert.throws(() => watch.doubles(), 'No process of any agent was seen')
    for (const name of ['one', 'other', 'other']) start(name)
    await until(async () => found().length > 0)
    assert.deepEqual(found(), ['other had two processes at the same time'])
  }).skip(!existsSync('/proc/self/environ'), 'needs /proc')

  function found(): string[] {
    try {
      return watch.doubles()
    } catch {
      return []
    }
  }
})
