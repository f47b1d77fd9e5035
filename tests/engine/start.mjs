/**
 * Runs a command beside an engine for tests, and ends the engine after it.
 *
 * Usage: node tests/engine/start.mjs [--openclaw] [command …]
 *   --openclaw   brings the image of the real OpenClaw too
 *   Without a command a shell is started. `node ace test contracts --files docker` is a good one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { continueWithNode24, isNode24, ROOT, withNode24 } from '../../bin/setup/node24.mjs'

const args = process.argv.slice(2)
if (!isNode24()) {
  await continueWithNode24([import.meta.filename, ...args])
  process.exit()
}
const { TestEngine } = await import('./test_engine.mjs')

const withOpenclaw = args[0] === '--openclaw'
const [program, ...rest] = withOpenclaw ? args.slice(1) : args

// An interrupt is for the command; the engine is ended after it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

const engine = new TestEngine()
try {
  await engine.start()
  await engine.addGatewayImage()
  if (withOpenclaw) await engine.addOpenclawImage(join(ROOT, 'storage'))
  const words = [...engine.inside, program ?? process.env.SHELL ?? 'sh', ...rest]
  const child = spawn(words[0], words.slice(1), {
    stdio: 'inherit',
    env: withNode24({ ...process.env, ...engine.env }),
  })
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 1
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error
  console.error([error.message, error.help].filter(Boolean).join('\n'))
  process.exitCode = 1
} finally {
  await engine.stop()
}
