import { existsSync, readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'

interface Row {
  feature: string
  mosaic: string
  others: string[]
  /** Name of a spec, and the title of its test. */
  spec: string
  title: string
}

const text = readFileSync(app.makePath('docs/chat.md'), 'utf8')
const rows: Row[] = text
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (\||---)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, feature, mosaic, openWebUi, libreChat, shownBy]) => {
    const [, spec = '', title = ''] = /^`(\w+)`: (.+)$/.exec(shownBy) ?? []
    return { feature, mosaic, others: [openWebUi, libreChat], spec, title }
  })

/** Sources of the specs with this name that open a browser. */
const sourcesOf = (spec: string) =>
  ['browser', 'e2e']
    .map((folder) => app.makePath('tests', folder, `${spec}.spec.ts`))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))

test.group('The comparison of the chat page', () => {
  test('has rows', ({ assert }) => assert.isAbove(rows.length, 20))

  test('names for each feature a test that there is', ({ assert }) => {
    const claimed = rows.filter(({ mosaic }) => mosaic !== '–')
    const unshown = claimed.filter(
      ({ spec, title }) => !sourcesOf(spec).some((source) => source.includes(`'${title}'`))
    )
    assert.deepEqual(unshown, [])
  })

  test('names a source for all that it says of others', ({ assert }) => {
    const listed = /^Sources: [^]*?\n\n/m.exec(text)![0]
    const unfounded = rows.flatMap(({ feature, others }) =>
      others
        .filter((cell) => /^[●○]/.test(cell))
        .filter((cell) => !listed.includes(/\[\d+\]/.exec(cell)?.[0] ?? 'none'))
        .map((cell) => `${feature}: ${cell}`)
    )
    assert.deepEqual(unfounded, [])
  })
})
