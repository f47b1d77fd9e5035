/**
 * Builds `dist`: the package's sources and everything they import from the app, as JavaScript and
 * declarations. Rewrites the app's `#room/file` aliases to relative paths, so the package needs no aliases.
 *
 * Usage: node build.mjs
 */
import ts from 'typescript'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

const HERE = import.meta.dirname
const ROOT = join(HERE, '../..')
const DIST = join(HERE, 'dist')

/** App files that the doubles read at run time. */
const ASSETS = ['docker/agent/entrypoint.sh']

const { imports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** Resolves an alias such as `#runtimes/errors` to a path relative to a file of `dist`. */
function relativeTo(file, alias) {
  const room = Object.keys(imports).find((key) => alias.startsWith(key.slice(0, -1)))
  if (!room) throw new Error(`No alias of package.json leads to ${alias}`)
  const target = imports[room].replace('*', alias.slice(room.length - 1))
  const path = relative(dirname(file), join(DIST, target)).split(sep).join('/')
  return path.startsWith('.') ? path : `./${path}`
}

/** Specifiers only follow `from`, `import` and `module`. */
function withoutAliases(file, text) {
  return text.replace(
    /(\b(?:from|import|module)[ (]+)(['"])(#[^'"]+)\2/g,
    (_, before, quote, alias) => `${before}${quote}${relativeTo(file, alias)}${quote}`
  )
}

function fail(diagnostics) {
  const host = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => '\n',
  }
  console.error(ts.formatDiagnostics(diagnostics, host))
  process.exit(1)
}

const config = ts.getParsedCommandLineOfConfigFile(
  join(HERE, 'tsconfig.json'),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]),
  }
)
rmSync(DIST, { recursive: true, force: true })
const program = ts.createProgram(config.fileNames, config.options)
const { diagnostics } = program.emit(undefined, (file, text) =>
  ts.sys.writeFile(file, withoutAliases(file, text))
)
const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics]
if (problems.length > 0) fail(problems)
for (const asset of ASSETS) cpSync(join(ROOT, asset), join(DIST, asset))
