import { dirname, join, relative } from 'node:path'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import ts from 'typescript'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import llmConfig from '#config/llm'
import { DEFINITIONS } from '#settings/definitions'
import { FAILURE_REASONS } from '#runtimes/errors'

const ROOT = app.makePath()

/** The rooms of `app/` from the top down. A file imports from its own floor's room or from below. */
const FLOORS: Record<string, number> = {
  controllers: 4,
  middleware: 4,
  transformers: 4,
  validators: 4,
  console: 4,
  /** The description of the routes. */
  openapi: 4,
  /** How errors are told: in an answer, and in the middle of a stream. */
  exceptions: 3,
  onboarding: 3,
  chat: 3,
  llm_relay: 3,
  agents: 3,
  settings: 3,
  identity: 3,
  audit: 3,
  usage: 3,
  openclaw: 2,
  models: 1,
  runtimes: 0,
  vaults: 0,
  llm: 0,
}

interface Import {
  file: string
  room: string
  target: string
  typeOnly: boolean
}

const source = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** What a file imports of Mosaic, as `room/…`, statically and lazily. */
function importsOf(file: string): Import[] {
  const tree = ts.createSourceFile(file, source(file), ts.ScriptTarget.Latest)
  const found: Import[] = []
  const note = (specifier: ts.Expression | undefined, typeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return
    const target = specifier.text.startsWith('.')
      ? relative('app', join(dirname(file), specifier.text))
      : specifier.text.replace(/^#/, '')
    if (specifier.text.startsWith('#') || specifier.text.startsWith('.')) {
      found.push({ file, room: file.split('/')[1], target, typeOnly })
    }
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      note(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    } else if (ts.isExportDeclaration(node)) {
      note(node.moduleSpecifier, node.isTypeOnly)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      note(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

async function importsOfApp(): Promise<Import[]> {
  const files = await Array.fromAsync(glob('app/**/*.ts', { cwd: ROOT }))
  return files.flatMap(importsOf)
}

const told = ({ file, target }: Import) => `${file} → ${target}`

test.group('Architecture | arrows', () => {
  test('every room stands on a floor', async ({ assert }) => {
    const rooms = new Set((await importsOfApp()).map(({ room }) => room))
    assert.deepEqual(
      [...rooms].filter((room) => !Object.hasOwn(FLOORS, room)),
      []
    )
  })

  test('run downwards', async ({ assert }) => {
    const upwards = (await importsOfApp()).filter(({ room, target, typeOnly }) => {
      const floor = FLOORS[target.split('/')[0]]
      return !typeOnly && floor !== undefined && floor > FLOORS[room]
    })
    assert.deepEqual(upwards.map(told), [])
  })

  test('drivers and adapters know their own room and nothing else of Mosaic', async ({
    assert,
  }) => {
    const plugins = (await importsOfApp()).filter(({ file }) =>
      /^app\/(runtimes\/drivers|vaults\/drivers|llm\/adapters)\//.test(file)
    )
    const strays = plugins.filter(({ room, target }) => target.split('/')[0] !== room)
    assert.isAbove(plugins.length, 10)
    assert.deepEqual(strays.map(told), [])
  })

  test('models import no service', async ({ assert }) => {
    const strays = (await importsOfApp()).filter(
      ({ room, target }) => room === 'models' && !/^(models|vaults|database)\//.test(target)
    )
    assert.deepEqual(strays.map(told), [])
  })

  test('a key is opened by the LLM relay, and by what tests a connection', async ({ assert }) => {
    const files = await Array.fromAsync(glob('app/**/*.ts', { cwd: ROOT }))
    const openers = files.filter((file) => /\.open\('apiKey'\)/.test(source(file)))
    assert.sameMembers(openers, [
      'app/llm_relay/relay_targets.ts',
      'app/settings/provider_directory.ts',
    ])
  })
})

test.group('Architecture | the documentation names what there is', () => {
  test('every setting', ({ assert }) => {
    const named = [...source('docs/operations.md').matchAll(/`([a-z]+\.[a-zA-Z]+)`/g)]
    const settings = Object.entries(DEFINITIONS)
      .filter(([, definition]) => !('internal' in definition))
      .map(([key]) => key)
    assert.includeMembers(
      named.map(([, key]) => key),
      settings
    )
  })

  test('every reason why an agent does not run', ({ assert }) => {
    const rows = [...source('docs/operations.md').matchAll(/^\| `([a-z_]+)` +\|/gm)]
    assert.includeMembers(
      rows.map(([, reason]) => reason),
      [...FAILURE_REASONS]
    )
  })

  test('every kind of LLM service has an adapter of its name', async ({ assert }) => {
    const { adapters } = await llmConfig.resolver(app)
    const files = await Array.fromAsync(glob('app/llm/adapters/*.ts', { cwd: ROOT }))
    assert.sameMembers(
      files.map((file) => file.replace(/^.*\/(.+)\.ts$/, '$1')),
      Object.keys(adapters)
    )
  })
})
