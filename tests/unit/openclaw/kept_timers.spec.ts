import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import { examineTimers, keptTimersModule } from '#openclaw/kept_timers'

const run = promisify(execFile)

/** Tells how long its timers last, and in a thread too. */
const CHUNK = `import { promisify } from 'node:util'
import { isMainThread, Worker } from 'node:worker_threads'
const timers = [setTimeout(() => {}, 60_000), setInterval(() => {}, 60_000), setTimeout(() => {}, 50_000)]
console.log(isMainThread, ...timers.map((timer) => timer._idleTimeout))
timers.forEach(clearTimeout)
if (isMainThread) {
  await promisify(setTimeout)(1)
  new Worker(new URL(import.meta.url))
}
`
/** Sets timers of one delay, in the function that monitors the event loop and outside. */
const MONITOR = `function createGatewayEventLoopHealthMonitor() {
  return setInterval(() => {}, 20)
}
const timers = [createGatewayEventLoopHealthMonitor(), setTimeout(() => {}, 20)]
console.log(...timers.map((timer) => timer._idleTimeout))
timers.forEach(clearTimeout)
`
const DAY_MS = 86_400_000

test.group('Kept timers', (group) => {
  let folder: string

  group.each.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mosaic-timers-'))
    await mkdir(join(folder, 'dist'))
    await writeFile(join(folder, 'preload.mjs'), keptTimersModule)
    return () => rm(folder, { recursive: true, force: true })
  })

  async function timersOf(chunk: string, content = CHUNK) {
    const path = join(folder, 'dist', chunk)
    await writeFile(path, content)
    const preload = join(folder, 'preload.mjs')
    const { stdout } = await run(process.execPath, ['--import', preload, path], { timeout: 20_000 })
    return stdout.trim().split('\n')
  }

  test('last for a day in the main thread of the gateway', async ({ assert }) => {
    assert.deepEqual(await timersOf('openclaw-agent-execution-Xy12.mjs'), [
      `true ${DAY_MS} ${DAY_MS} 50000`,
      'false 60000 60000 50000',
    ])
  })

  test('leave the timers of other chunks as they are', async ({ assert }) => {
    const [main] = await timersOf('other-Xy12.mjs')
    assert.equal(main, 'true 60000 60000 50000')
  })

  test('include the monitor of the event loop, and no other timer of its chunk', async ({
    assert,
  }) => {
    assert.deepEqual(await timersOf('server-start-Xy12.mjs', MONITOR), [`${DAY_MS} 20`])
  })

  test('are told where an OpenClaw sets others', async ({ assert }) => {
    await writeFile(join(folder, 'dist', 'openclaw-agent-execution-a.mjs'), 'setTimeout(end, 9e4)')
    const [finding] = await examineTimers(folder)
    assert.equal(finding.code, 'openclaw_other_timers')
  })
})
