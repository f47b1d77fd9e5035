import { execFile, type ExecFileException } from 'node:child_process'
import { SYSTEM_PATH } from '#runtimes/launch'

const DEADLINE_MS = 10_000

/** Quotes any text as one word of a shell command. */
export function quoted(word: string | number): string {
  return `'${String(word).replaceAll("'", `'\\''`)}'`
}

/**
 * Runs a script in the system's shell, which ends at the first failure.
 *
 * @throws Error with the first line of its error output
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
