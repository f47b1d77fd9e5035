import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'

const ROOT = app.makePath()

/**
 * Calls that take all of an input, however much it is. `JSON.parse` is one: two bytes of a sender may become a
 * hundred. `parseJson` limits them.
 */
const METHODS = new Set(['json', 'text', 'arrayBuffer', 'blob', 'bytes', 'formData', 'getReader'])
const FUNCTIONS = new Set(['readFile', 'readFileSync', 'createInterface', 'fromAsync'])
const MODULES = new Set(['node:stream/consumers', 'node:readline', 'node:readline/promises'])

/** Ways in which a loop keeps its input. */
const GATHERS = /\+=|\.(push|add|append|concat)\(/

/** The suites' double, which reads only what a test wrote. */
const DOUBLES = /^app\/runtimes\/drivers\/memory/

/** Reads that something else bounds, by the last part of their path, each with what bounds it. */
const ALLOWED: Record<string, string> = {
  'agent_folder.ts: JSON.parse': 'the size of a secret, which its reader limits',
  'audit_event.ts: JSON.parse': 'a column that Mosaic wrote',
  'columns.ts: JSON.parse': 'a column that Mosaic wrote',
  'early_wakes.ts: JSON.parse': 'a column that Mosaic wrote',
  'engine_answers.ts: JSON.parse': 'the engine of the operator, and the size of a refusal',
  'images.ts: JSON.parse': 'the engine of the operator, and the size of a line',
  'isolation_probe.ts: JSON.parse': 'a list of addresses that Mosaic’s own probe writes',
  'kept_lists.ts: JSON.parse': 'a column that Mosaic wrote',
  'memory.ts: JSON.parse': 'a column that Mosaic wrote, of what it had parsed',
  'records.ts: JSON.parse': 'the size of a record, which its reader limits',
  'session_store.ts: JSON.parse': 'a session that Mosaic wrote',
  'settings.ts: JSON.parse': 'a column that Mosaic wrote',
  'user_ledger.ts: JSON.parse': 'the size of a ledger, which its reader limits',
  'watcher.ts: JSON.parse': 'the engine of the operator, and the size of a line',
  'secret_delivery.ts: JSON.parse': 'the size of a secret, which its reader limits',
  'inertia_middleware.ts: JSON.parse': 'Mosaic’s own manifest',
  'manifest.ts: JSON.parse': 'a package that the operator installs',
  'openapi_controller.ts: JSON.parse': 'Mosaic’s own manifest',
  'plugins_folder.ts: JSON.parse': 'the lists of npm, in the operator’s folder',
  'plugin_generator.ts: JSON.parse': 'templates of the kit, and what the operator wrote',
  'versions.ts: JSON.parse': 'Mosaic’s own manifests',
  'aes_256_gcm.ts: Buffer.concat': 'the parts of one sealed value',
  'archive.ts: Buffer.concat': 'the few files that Mosaic packs itself',
  'call_body.ts: for await': 'the limit of a call, which it counts',
  'admission_refusal.ts: Buffer.concat': 'the length of a refusal, which it counts',
  'cgroup_memory.ts: readFile': 'the kernel: one number',
  'container_memory.ts: readFile': 'the kernel: the control groups of one process',
  'engine.ts: readFileSync': 'certificates of the operator',
  'event_stream.ts: Buffer.concat': 'what Mosaic itself wrote in one turn of the event loop',
  'gateway_socket_relay.ts: for await': 'a count, and the request of Mosaic’s own client',
  'handbook.ts: readFile': 'Mosaic’s own chapters',
  'handover.ts: readFile': 'Mosaic’s own launcher',
  'hostile_tree.ts: fromAsync': 'where agents have no users, they do as Mosaic does',
  'http_chunk.ts: Buffer.concat': 'what Mosaic itself wrote in one turn of the event loop',
  'inertia_middleware.ts: readFileSync': 'Mosaic’s own manifest',
  'kept_timers.ts: readFile': 'OpenClaw’s package, as the operator installed it',
  'machine_memory.ts: readFile': 'the kernel: /proc/meminfo, and one line for each swap area',
  'manifest.ts: readFileSync': 'a package that the operator installs',
  'openapi_controller.ts: readFileSync': 'Mosaic’s own manifest',
  'package_source.ts: readFile': 'a package that the operator installs',
  'plugin_installer.ts: readFile': 'the lists of npm, in the operator’s folder',
  'plugins_folder.ts: readFileSync': 'the lists of npm, in the operator’s folder',
  'kernel_file.ts: readFileSync': 'the kernel: /proc and /sys',
  'plugin_generator.ts: readFile': 'templates of the kit, and what the operator wrote',
  'port_holder.ts: readFileSync': 'the kernel: a name of 16 letters, tables of open ports',
  'reconciler.ts: fromAsync': 'one entry for each instance that Mosaic made',
  'registry.ts: for await': 'one number for each agent',
  'secret_input.ts: for await': 'the operator at the terminal',
  'secret_input.ts: Buffer.concat': 'the operator at the terminal',
  'secret_delivery.ts: readFile': 'Mosaic’s own launcher',
  'private_places.ts: readFileSync':
    'the machine’s list of name servers, which the operator or an engine writes',
  'self_container.ts: readFile': 'the kernel’s table of mounts',
  'user_ledger.ts: for await': 'two numbers for each entry of a folder, up to a limit',
  'users.ts: readFileSync': 'the kernel’s map of user ids',
  'watcher.ts: for await': 'one name for each agent',
  'versions.ts: readFileSync': 'Mosaic’s own manifests',
  'where.ts: readFile': 'the kernel’s table of mounts',
}

interface Found {
  file: string
  what: string
  line: number
}

/** Reads of a file that could take more than Mosaic has. */
function readsIn(file: string): Found[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Found[] = []
  const note = (node: ts.Node, what: string) => {
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
    found.push({ file, what, line: line + 1 })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      if (MODULES.has(node.moduleSpecifier.text)) note(node, node.moduleSpecifier.text)
    }
    if (ts.isCallExpression(node)) {
      const { expression, arguments: given } = node
      if (ts.isPropertyAccessExpression(expression)) {
        const { name, expression: of } = expression
        if (METHODS.has(name.text) && given.length === 0) note(node, `.${name.text}()`)
        if (name.text === 'fromAsync') note(node, 'fromAsync')
        if (of.getText() === 'JSON' && name.text === 'parse') note(node, 'JSON.parse')
        if (of.getText() === 'Buffer' && name.text === 'concat' && !isFixed(given[0])) {
          note(node, 'Buffer.concat')
        }
      } else if (FUNCTIONS.has(expression.getText())) note(node, expression.getText())
    }
    if (ts.isForOfStatement(node) && node.awaitModifier && GATHERS.test(node.statement.getText())) {
      note(node, 'for await')
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

/** A list of so many parts as are written there. */
function isFixed(parts: ts.Expression): boolean {
  return ts.isArrayLiteralExpression(parts) && !parts.elements.some(ts.isSpreadElement)
}

async function reads(): Promise<Found[]> {
  const files = await Array.fromAsync(glob('app/**/*.ts', { cwd: ROOT }))
  return files
    .filter((file) => !file.startsWith('app/bounded/') && !DOUBLES.test(file))
    .flatMap(readsIn)
}

const keyOf = ({ file, what }: Found) => `${basename(file)}: ${what}`

test.group('Bounded reads', () => {
  test('are the only ones, but for those that something else bounds', async ({ assert }) => {
    const strays = (await reads()).filter((found) => !Object.hasOwn(ALLOWED, keyOf(found)))
    assert.deepEqual(
      strays.map(({ file, what, line }) => `${file}:${line}: ${what}`),
      []
    )
  })
})
