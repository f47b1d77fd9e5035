/**
 * `npm run screenshots`: every page, light and dark, narrow and wide, into `screenshots/`. Uses the built pages
 * and doubles for agents, so it needs no OpenClaw.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { chromium } from '../tests/runner/system.mjs'
import { build } from './setup/build.mjs'
import { withoutSharedCache } from './setup/shared_cache.mjs'
import { ROOT, continueWithNode24, isNode24, node24, withNode24 } from './setup/node24.mjs'

async function main(flags) {
  if (!isNode24()) return continueWithNode24([fileURLToPath(import.meta.url), ...flags])
  const env = { ...withoutSharedCache(withNode24()), CHROMIUM_PATH: await chromium() }
  await build()

  const args = ['--import=@poppinss/ts-exec', 'bin/test.ts', 'screenshots', ...flags]
  const run = spawn(node24(), args, { cwd: ROOT, env, stdio: 'inherit' })
  process.exitCode = await new Promise((resolve) => run.once('exit', (code) => resolve(code ?? 1)))
}

await main(process.argv.slice(2))
