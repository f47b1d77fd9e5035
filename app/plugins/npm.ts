import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { E_PLUGIN_NPM } from '#plugins/errors'

/** Timeout: enough for a large package over a slow line. */
export const NPM_DEADLINE_MS = 10 * 60_000

/** Lines of npm's error output to keep: the first describe the problem, later ones only the log file. */
const TOLD_LINES = 3

const ALWAYS = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier']

const run = promisify(execFile)

/**
 * Runs npm in a folder, without any install scripts of packages.
 *
 * @param task the intention for error messages, such as "fetch it"
 * @throws E_PLUGIN_NPM
 */
export async function npm(task: string, args: string[], cwd: string): Promise<void> {
  const script = process.env.npm_execpath
  const [program, ...first] = script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm']
  try {
    await run(program, [...first, ...ALWAYS, '--loglevel=error', ...args], {
      cwd,
      timeout: NPM_DEADLINE_MS,
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
