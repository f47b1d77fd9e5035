import { test } from '@japa/runner'
import { ESLint } from 'eslint'
import app from '@adonisjs/core/services/app'

/** Patterns that one hostile text can keep busy for minutes, and how they are found. */
const FOUND: Record<string, string> = {
  "text.replace(/\\/+$/, '')": 'regexp/no-super-linear-move',
  'text.match(/(?:\\s*\\S+\\s*){1,4}/g)': 'regexp/no-super-linear-backtracking',
  '/^(a+)+$/.test(text)': 'regexp/no-super-linear-backtracking',
  'text.match(/BEGIN[^]*?END/g)': 'no-restricted-syntax',
  'text.match(/BEGIN.*?END/g)': 'no-restricted-syntax',
  'new RegExp(text).test(text)': 'no-restricted-syntax',
}

const HARMLESS = [
  'text.split(/\\s+/)',
  '/^[a-z0-9-]{1,63}$/.test(text)',
  '/(?<=\\s)(?=\\S)/.test(text)',
]

test.group('Lint', () => {
  const eslint = new ESLint({ cwd: app.makePath() })
  const rulesBroken = async (code: string, filePath: string) => {
    const source = `export const read = (text: string) => ${code}\n`
    const [{ messages }] = await eslint.lintText(source, { filePath: app.makePath(filePath) })
    return messages.map(({ ruleId }) => ruleId)
  }

  test('finds each pattern whose time outgrows its text', async ({ assert }) => {
    for (const [code, rule] of Object.entries(FOUND)) {
      for (const file of ['app/chat/headers.ts', 'docker/socket_proxy/image_rules.ts']) {
        assert.include(await rulesBroken(code, file), rule, code)
      }
    }
  }).timeout(120_000)

  test('lets those be that read a text once', async ({ assert }) => {
    for (const code of HARMLESS) {
      assert.notIncludeMembers(await rulesBroken(code, 'app/chat/headers.ts'), [
        'regexp/no-super-linear-move',
        'regexp/no-super-linear-backtracking',
        'no-restricted-syntax',
      ])
    }
  }).timeout(120_000)
})
