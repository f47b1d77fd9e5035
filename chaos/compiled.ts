import { transformFileSync, type Options } from '@swc/core'
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

const SOURCES =
  '{.adonisjs/server,app,bench,bin,chaos,commands,config,database,docker,inertia,providers,start,tests}'

/** What the loader of tests and commands does. */
const OPTIONS: Options = {
  swcrc: false,
  module: { type: 'es6' },
  jsc: {
    target: 'esnext',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, useDefineForClassFields: true },
    keepClassNames: true,
  },
}

/**
 * Compiles the server, tests, bench and chaos into a temporary folder that the caller removes. Each file by itself:
 * TypeScript takes ten times as long, and the bench, which measures what people run, has that compile its own.
 */
export function compile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-chaos-build-'))
  /** Agents run as other users and read the launcher here. */
  chmodSync(folder, 0o711)
  const exclude = ['**/*.d.ts', 'tests/plugins/**']
  for (const file of globSync([`${SOURCES}/**/*.ts`, 'adonisrc.ts'], { cwd: ROOT, exclude })) {
    const target = join(folder, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, transformFileSync(join(ROOT, file), OPTIONS).code)
  }
  for (const part of ['package.json', 'docker', 'resources', 'public']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
