/** Builds and packs the package, for plugins outside this repository. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { join } from 'node:path'

const run = promisify(execFile)

/** Timeout of a build on a busy machine, in milliseconds. */
const DEADLINE_MS = 180_000

/**
 * @param {string} folder Where the tarball goes.
 * @returns {Promise<string>} The path of the tarball.
 */
export async function packKit(folder) {
  const options = { cwd: import.meta.dirname, timeout: DEADLINE_MS }
  await run(process.execPath, ['build.mjs'], options)
  const [program, ...first] = npm()
  const flags = ['pack', '--ignore-scripts', '--json', `--pack-destination=${folder}`]
  const { stdout } = await run(program, [...first, ...flags], options)
  return join(folder, JSON.parse(stdout)[0].filename)
}

/** Uses the npm that started this process, else the one in PATH. */
function npm() {
  const script = process.env.npm_execpath
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm']
}

if (import.meta.main) console.log(await packKit(process.argv[2]))
