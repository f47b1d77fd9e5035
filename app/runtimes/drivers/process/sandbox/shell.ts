import { execFile, type ExecFileException } from 'node:child_process'
import { SYSTEM_PATH } from '#runtimes/launch'

const DEADLINE_MS = 10_000

/** One word of a shell command, whatever is in it. */
export function quoted(word: string | number): string {
  return `'${String(word).replaceAll("'", `'\\''`)}'`
}

/**
 * Runs a script of the system's shell, which ends at its first failure.
 *
 * @throws Error with the first line of what it complained of
 */
export function runScript(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: DEADLINE_MS, env: { PATH: SYSTEM_PATH }, cwd: '/' }
    execFile('/bin/sh', ['-euc', script], options, (error, output, complaint) => {
      if (error) reject(new Error(reasonOf(error, complaint), { cause: error }))
      else resolve(output)
    })
  })
}

function reasonOf(error: ExecFileException, complaint: string): string {
  return complaint.trim().split('\n')[0] || error.message
}
