/**
 * Dates the changelog's "Unreleased" section. `npm version` runs it after raising the version and before
 * committing and tagging; see the script `version` in package.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const HEADING = '## Unreleased\n'

/**
 * @param {string} text The changelog.
 * @returns {string} The changelog with the unreleased changes under the version, and an empty section above.
 * @throws Error if there is nothing to release
 */
export function released(text, version, date) {
  const start = text.indexOf(HEADING)
  if (start === -1) throw new Error('CHANGELOG.md has no section "## Unreleased".')
  const body = start + HEADING.length
  const next = text.indexOf('\n## ', body)
  const changes = text.slice(body, next === -1 ? undefined : next)
  if (changes.trim() === '') throw new Error('CHANGELOG.md lists no change under "## Unreleased".')
  return `${text.slice(0, body)}\n## ${version} - ${date}\n${text.slice(body)}`
}

if (import.meta.main) {
  const today = new Date().toISOString().slice(0, 10)
  const text = readFileSync('CHANGELOG.md', 'utf8')
  writeFileSync('CHANGELOG.md', released(text, process.env.npm_package_version, today))
}
