/** Builds production code into `build/` if a source has changed. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.mjs'
import { ROOT, node24, withNode24 } from './node24.mjs'

/** Everything a build reads, except its own output (`public/assets`). */
const SOURCES = [
  'adonisrc.ts',
  'ace.js',
  'app',
  'bin',
  'commands',
  'config',
  'database',
  'docker/agent',
  'docs',
  'inertia',
  'package.json',
  'package-lock.json',
  'providers',
  'public',
  'resources',
  'start',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.config.ts',
]
const MADE_BY_BUILD = 'public/assets'

/** Written last, so an interrupted build has none. */
const STAMP = join(ROOT, 'build/.made-from')

/** @returns {Promise<'built' | 'up to date'>} */
export async function build() {
  const hash = sourceHash()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return 'up to date'

  await command(node24(), ['ace.js', 'build', '--tsconfig=tsconfig.build.json'], {
    cwd: ROOT,
    env: withNode24({ ...process.env, NODE_ENV: 'development', NO_COLOR: '1' }),
    failure: 'Mosaic could not be built',
    help: 'In a fresh clone this is a defect of Mosaic; where you changed the source, see above.',
  })
  writeFileSync(STAMP, hash)
  return 'built'
}

function sourceHash() {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap(filesOf)) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** Returns the files at or below a path of the repository, sorted by name. */
function filesOf(path) {
  if (path === MADE_BY_BUILD || !existsSync(join(ROOT, path))) return []
  let entries
  try {
    entries = readdirSync(join(ROOT, path), { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path]
    throw error
  }
  return entries
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => filesOf(`${path}/${entry.name}`))
}
