import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { E_PLUGIN_NPM } from '#plugins/errors'

/** A slow line may take long for a large package; nothing here takes longer. */
const DEADLINE_MS = 10 * 60_000

/** Lines of npm's complaint that are told: the first ones say what, the others where its log is. */
const TOLD_LINES = 3

const ALWAYS = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier']

const run = promisify(execFile)

/**
 * Runs npm in a folder. No package's own install script runs.
 *
 * @param task what it should do, for the sentence of a failure: "fetch it"
 * @throws E_PLUGIN_NPM
 */
export async function npm(task: string, args: string[], cwd: string): Promise<void> {
  const script = process.env.npm_execpath
  const [program, ...first] = script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm']
  try {
    await run(program, [...first, ...ALWAYS, '--loglevel=error', ...args], {
      cwd,
      timeout: DEADLINE_MS,
      maxBuffer: 16 * 1024 * 1024,
    })
  } catch (error) {
    throw new E_PLUGIN_NPM(task, complaintOf(error), { cause: error })
  }
}

function complaintOf(error: unknown): string {
  const { code, stderr, killed } = error as { code?: unknown; stderr?: string; killed?: boolean }
  if (code === 'ENOENT') return 'there is no npm in PATH.'
  if (killed) return 'it took more than ten minutes.'
  const lines = (stderr ?? '')
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('code '))
  return lines.slice(0, TOLD_LINES).join(' ') || 'it ended without a word.'
}
