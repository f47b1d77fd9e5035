/** Selects the spec files of a suite run. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ROOT } from '../../bin/setup/node24.mjs'
import { PARTS } from './parts.mjs'

/** In suites that run here and on Docker, specs with such names use the engine and run in its network. */
const ON_DOCKER = /docker|container/

/**
 * @param {{ part: string, on?: string, word?: string, specs?: string[], driver: string | null, wanted: string[] }} run
 * `driver`: only specs that name this runtime driver. `wanted`: the patterns of `--files`, if any.
 * @returns {string[]} Paths from the repository's root.
 */
export function specFiles({ part, on, word, specs, driver, wanted }) {
  return readdirSync(join(ROOT, 'tests', part), { recursive: true })
    .filter((path) => path.endsWith('.spec.ts'))
    .map((path) => join('tests', part, path))
    .filter((file) => belongs(basename(file, '.spec.ts'), { part, on, word, specs }))
    .filter((file) => !driver || basename(file).includes(driver))
    .filter((file) => wanted.length === 0 || wanted.some((name) => isNamed(file, name)))
    .sort()
}

/** Specs named by one of the part's runs, or by its word, belong to that run alone. */
function belongs(name, { part, on, word, specs }) {
  const own = PARTS[part].find((run) => run.word && name.includes(run.word))?.word
  if (own || word) return own === word
  if (specs) return specs.includes(name)
  if (PARTS[part].some((run) => run.specs?.includes(name))) return false
  if (on === 'Docker') return ON_DOCKER.test(name)
  return on !== 'this machine' || !ON_DOCKER.test(name)
}

/** Matches like Japa: the end of the path, with or without its suffix, or a folder and a star. */
function isNamed(file, name) {
  const path = name.replace(/^\.\//, '').replace(/(\.spec)?(\.ts)?$/, '')
  const pattern = path.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')
  return new RegExp(`${pattern}\\.spec\\.ts$`).test(file)
}
