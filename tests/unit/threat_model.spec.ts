import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'

const text = readFileSync(app.makePath('docs/threat_model.md'), 'utf8')

/** A test as the threat model names it: `security/ssrf` is `tests/security/ssrf.spec.ts`. A suite is `.ts`. */
const NAMED = /`((?:unit|functional|contracts|security|e2e|browser)\/[a-z0-9_/]+)`/g

/** Chapters that promise nothing. */
const WITHOUT_PROMISES = ['Trust boundaries', 'Known gaps', 'Out of scope']

const testsIn = (part: string) => [...part.matchAll(NAMED)].map(([, name]) => name)

/** Returns each promise: an item of a list, with the lines that continue it. */
function promises(): string[] {
  const chapters = text.split(/^## /m).slice(1)
  const promising = chapters.filter((chapter) => {
    return !WITHOUT_PROMISES.some((title) => chapter.startsWith(title))
  })
  return promising.flatMap((chapter) => {
    return chapter
      .split(/^- /m)
      .slice(1)
      .map((item) => item.split('\n\n', 1)[0])
  })
}

test.group('The threat model', () => {
  test('names tests that exist', ({ assert }) => {
    const names = new Set(testsIn(text))
    assert.isAbove(names.size, 30)
    const missing = [...names].filter((name) => {
      const path = join(app.makePath('tests'), name)
      return !existsSync(`${path}.spec.ts`) && !existsSync(`${path}.ts`)
    })
    assert.deepEqual(missing, [])
  })

  test('names a test for each of its promises', ({ assert }) => {
    assert.isAbove(promises().length, 25)
    const bare = promises().filter((promise) => testsIn(promise).length === 0)
    assert.deepEqual(bare, [])
  })

  test('names a test for each runtime that it compares', ({ assert }) => {
    const [, ...cells] = /^\| test .*$/m.exec(text)![0].split('|').slice(1, -1)
    for (const cell of cells) assert.isNotEmpty(testsIn(cell), cell)
  })
})
