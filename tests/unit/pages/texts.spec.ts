import { globSync, readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { CHAPTERS } from '#handbook/handbook'
import { DEFINITIONS } from '#settings/definitions'
import { en } from '../../../inertia/locales/en.js'
import { admin } from '../../../inertia/locales/en_admin.js'

const source = (file: string) => readFileSync(app.makePath(file), 'utf8')
const keyOf = (name: string) => name.replaceAll('.', '_')

/** A page shows the bare key of what has no text, and no error. */
test.group('Pages | have a text for', () => {
  test('every listed setting and its group', ({ assert }) => {
    const listed = Object.entries(DEFINITIONS)
      .filter(([, definition]) => !('internal' in definition))
      .map(([key]) => key)
    assert.includeMembers(Object.keys(admin.settings.keys), listed.map(keyOf))
    const groups = listed.map((key) => key.split('.')[0])
    assert.includeMembers(Object.keys(admin.settings.groups), groups)
  })

  test('every action of the audit record, and a filter that finds it', ({ assert }) => {
    const files = globSync('{app,commands}/**/*.ts', { cwd: app.makePath() })
    const said = /(?:action: |(?:#record|#note)\()'([a-z_]+\.[a-z_]+)'/g
    const actions = files.flatMap((file) => [...source(file).matchAll(said)].map(([, one]) => one))
    assert.isAbove(actions.length, 25)
    assert.includeMembers(Object.keys(admin.audit.actions), actions.map(keyOf))

    const [, listed] = /const KINDS = \[([^\]]+)\]/.exec(source('inertia/pages/admin/audit.vue'))!
    const kinds = [...listed.matchAll(/'([a-z_]+)'/g)].map(([, kind]) => kind)
    const prefixes = actions.map((action) => action.split('.')[0])
    assert.includeMembers(kinds, prefixes)
    assert.sameMembers(Object.keys(admin.audit.kinds), kinds)
  })

  test('every chapter of the documentation', ({ assert }) => {
    assert.sameMembers(Object.keys(en.docs.about), [...CHAPTERS])
  })
})
