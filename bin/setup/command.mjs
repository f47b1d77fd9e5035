/** Runs programs quietly: their output appears only if they fail. */
import { spawn } from 'node:child_process'
import { SetupFailure } from './failure.mjs'
import { withoutSharedCache } from './shared_cache.mjs'

/** Half an hour: only a download over a very slow line takes that long. */
const DEADLINE_MS = 30 * 60_000

/** Grace period between the request to stop and a kill. */
const END_GRACE_MS = 5000

/** Lines of a failed program's output to show: enough for the reason, not the whole log. */
const SHOWN_LINES = 20

/**
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { failure?: string, help?: string, input?: string }}
 * [options] `failure` is the sentence for a person if the exit status is not 0.
 * @returns {Promise<string>} Its standard output.
 * @throws SetupFailure with that output as `out`, if it ran
 */
export async function command(program, args, { failure, help, input, ...options } = {}) {
  const child = spawn(program, args, {
    ...options,
    env: withoutSharedCache(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)

  let out = ''
  let all = ''
  child.stdout.on('data', (data) => {
    out += data
    all += data
  })
  child.stderr.on('data', (data) => (all += data))

  const stop = () => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), END_GRACE_MS).unref()
  }
  const timer = setTimeout(stop, DEADLINE_MS)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (...end) => resolve(end))
    })
    if (code === 0) return out
    const tail = all.trim().split('\n').slice(-SHOWN_LINES).join('\n')
    const ended = signal ? `ended by ${signal}` : `status ${code}`
    const sentence = `${failure ?? `${program} failed`} (${ended}):\n${tail}`
    throw Object.assign(new SetupFailure(sentence, help), { out })
  } catch (error) {
    if (error.code === 'ENOENT') {
      throw new SetupFailure(`${failure ?? 'A program is missing'}: there is no ${program}.`, help)
    }
    throw error
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
