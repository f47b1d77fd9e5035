import { dirname, join, relative } from 'node:path'
import { existsSync, globSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import llmConfig from '#config/llm'
import { DEFINITIONS } from '#settings/definitions'
import { FAILURE_REASONS } from '#runtimes/errors'
import { CHAPTERS } from '#handbook/handbook'

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
  user_settings: 3,
  knowledge: 3,
  installation: 3,
  plugins: 3,
  identity: 3,
  audit: 3,
  mail: 3,
  usage: 3,
  handbook: 3,
  openclaw: 2,
  models: 1,
  /** Of characters, and nothing of Mosaic. */
  text: 0,
  runtimes: 0,
  vaults: 0,
  llm: 0,
  metrics: 0,
  http: 0,
  /** Reads what others send. It knows nothing of Mosaic, so plugins may use it as well. */
  bounded: -1,
  /** The clock, deadlines, the race against a signal: of no room in particular. */
  timing: -1,
  /** What the managers of runtimes and vaults have in common. */
  drivers: -1,
}

/** The floors of `app/agents`, top first. What lies beside the folders and is not named here is the ground. */
const AGENT_FLOORS = [
  'background',
  'prewarmer',
  'fleet',
  'changes',
  'services',
  'lifecycle',
  'stopping',
  'waking',
  'instances',
  'state',
  'replicas',
  'leases',
  'system_agents',
]

/** The floor of a file of `app/agents`, named by its path there; 0 is the top. */
function agentFloor(path: string): number {
  const floor = AGENT_FLOORS.indexOf(path.split('/')[0].replace(/\.ts$/, ''))
  return floor === -1 ? AGENT_FLOORS.length : floor
}

interface Import {
  file: string
  room: string
  target: string
  typeOnly: boolean
}

/** The files that patterns name. One that matches nothing guards nothing: its files have moved. */
function filesOf(...patterns: string[]): string[] {
  return patterns.flatMap((pattern) => {
    const found = globSync(pattern, { cwd: ROOT })
    if (found.length === 0) throw new Error(`No file matches ${pattern}`)
    return found
  })
}

const source = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** What can be linked to in a chapter: its headings, as GitHub names them. */
const anchors = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9_ -]/g, '')
      .replaceAll(' ', '-')
  )

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

const importsOfApp = () => filesOf('app/**/*.ts').flatMap(importsOf)

const told = ({ file, target }: Import) => `${file} → ${target}`

test.group('Architecture | arrows', () => {
  test('every room stands on a floor', async ({ assert }) => {
    const rooms = new Set(importsOfApp().map(({ room }) => room))
    assert.deepEqual(
      [...rooms].filter((room) => !Object.hasOwn(FLOORS, room)),
      []
    )
  })

  test('run downwards, those of types too', async ({ assert }) => {
    const upwards = importsOfApp().filter(({ room, target, typeOnly }) => {
      const floor = FLOORS[target.split('/')[0]]
      return !typeOnly && floor !== undefined && floor > FLOORS[room]
    })
    assert.deepEqual(upwards.map(told), [])
  })

  test('run downwards inside the room of agents', ({ assert }) => {
    const inside = filesOf('app/agents/**/*.ts')
      .flatMap(importsOf)
      .filter(({ target }) => target.startsWith('agents/'))
    const upwards = inside.filter(({ file, target }) => {
      const from = file.replace('app/agents/', '')
      return agentFloor(target.replace('agents/', '')) < agentFloor(from)
    })
    assert.isAbove(inside.length, 100)
    assert.deepEqual(upwards.map(told), [])
  })

  test('keep small what a reader of one act on agents has to open', ({ assert }) => {
    const entered = (file: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(file)) return seen
      seen.add(file)
      const targets = importsOf(file).map(({ target }) => `app/${target}.ts`)
      for (const target of targets.filter((path) => path.startsWith('app/agents/'))) {
        entered(target, seen)
      }
      return seen
    }
    const sizes = {
      'waking/waker': 29,
      'stopping/idle_stopper': 14,
      'changes/settings_rollout': 14,
    }
    for (const [path, most] of Object.entries(sizes)) {
      assert.isAtMost(entered(`app/agents/${path}.ts`).size, most, path)
    }
  })

  test('every floor of the room of agents is there', ({ assert }) => {
    for (const floor of AGENT_FLOORS) {
      assert.isNotEmpty(
        globSync([`app/agents/${floor}/*.ts`, `app/agents/${floor}.ts`], { cwd: ROOT })
      )
    }
    const folders = filesOf('app/agents/*/*.ts').map((file) => file.split('/')[2])
    assert.includeMembers(AGENT_FLOORS, [...new Set(folders)])
  })

  test('drivers and adapters know their own room, the bounded reader and timing, and nothing else of Mosaic', async ({
    assert,
  }) => {
    const plugins = filesOf(
      'app/runtimes/drivers/**/*.ts',
      'app/vaults/drivers/**/*.ts',
      'app/llm/adapters/**/*.ts',
      'app/identity/services/drivers/*.ts'
    ).flatMap(importsOf)
    const strays = plugins.filter(
      ({ room, target }) => ![room, 'bounded', 'timing'].includes(target.split('/')[0])
    )
    assert.isAbove(plugins.length, 10)
    assert.deepEqual(strays.map(told), [])
  })

  test('models import no service', async ({ assert }) => {
    const strays = importsOfApp().filter(
      ({ room, target }) => room === 'models' && !/^(models|vaults|database)\//.test(target)
    )
    assert.deepEqual(strays.map(told), [])
  })

  test('no file is longer than a reader takes in at once: 300 lines', ({ assert }) => {
    const long = filesOf('app/**/*.ts').filter((file) => source(file).split('\n').length > 301)
    assert.deepEqual(long, [])
  })

  test('every call of a runtime’s driver has a deadline', ({ assert }) => {
    /** A task that nothing waits for, and a move within the deadline of its caller. */
    const elsewhere = ['app/agents/background/image_prefetch.ts']
    const methods =
      'ensure|stop|suspend|resume|pageOut|usage|memory|inspect|remove|purge|exportData|importData|keepImport|prepare|preflight'
    const call = new RegExp(`\\bdriver\\.(?:${methods})[!?.]*\\(`)
    const without = filesOf('app/**/*.ts').flatMap((file) => {
      if (file.startsWith('app/runtimes/drivers/') || elsewhere.includes(file)) return []
      const lines = source(file).split('\n')
      return lines.flatMap((text, at) => {
        const near = lines.slice(Math.max(0, at - 5), at + 4).join('\n')
        return call.test(text) && !/\b(?:within|raceSignal)\(/.test(near) ? `${file}:${at + 1}` : []
      })
    })
    assert.deepEqual(without, [])
    assert.isTrue(call.test('driver.usage!(ref)'))
  })

  test('a key is opened by the LLM relay, and by what tests a connection', async ({ assert }) => {
    const files = filesOf('app/**/*.ts')
    const openers = files.filter((file) => /\.open\('apiKey'\)/.test(source(file)))
    assert.sameMembers(openers, [
      'app/llm_relay/relay_targets.ts',
      'app/user_settings/provider_directory.ts',
    ])
  })
})

/** Where keys, conversations and personalities are: how paths begin. Admins' services find no way there. */
const CONTENTS = [
  'llm_relay/',
  'chat/',
  'openclaw/gateway',
  'knowledge/',
  'user_settings/provider_directory',
  'user_settings/agent_preferences',
  'models/llm_provider',
  'models/user_agent_config',
  'models/data_key',
  'models/finding',
  'models/agent_memory',
  'models/task',
  'models/archive_',
]

/** The same in the container: how names begin. */
const CONTENT_SERVICES = [
  'llm_relay',
  'chat.',
  'vault.',
  'openclaw.gateway',
  'knowledge.',
  'settings.providers',
  'settings.agent_preferences',
]

const begins = (name: string, beginnings: string[]) =>
  beginnings.some((beginning) => name.startsWith(beginning))

test.group('Architecture | what admins call', () => {
  /** The class behind each name in the container, or the one that it is a part of. */
  function bindings(): Map<string, string> {
    const registrations = filesOf('providers/*.ts').flatMap((file) =>
      source(file).split("singleton('").slice(1)
    )
    const found = new Map<string, string>()
    for (const text of registrations) {
      const name = text.slice(0, text.indexOf("'"))
      const [, path] = /import\('#([^']+)'\)/.exec(text) ?? []
      const [, whole] = /resolver\.make\('([^']+)'\)/.exec(text) ?? []
      const target = path ?? found.get(whole)
      if (target) found.set(name, target)
    }
    return found
  }

  test('the places that they must not reach are where they are looked for', ({ assert }) => {
    const files = filesOf(...CONTENTS.map((beginning) => `app/${beginning}*`))
    assert.isAbove(files.length, 20)
    const names = filesOf('providers/*.ts').flatMap((file) =>
      [...source(file).matchAll(/singleton\('([^']+)'/g)].map(([, name]) => name)
    )
    const unknown = CONTENT_SERVICES.filter((one) => !names.some((name) => name.startsWith(one)))
    assert.deepEqual(unknown, [])
  })

  test('imports nothing that holds what is somebody’s own', async ({ assert }) => {
    const known = bindings()
    const controllers = filesOf('app/controllers/api/admin/*.ts')
    const services = controllers.flatMap((file) =>
      [...source(file).matchAll(/container\.make\('([^']+)'\)/g)].map(([, name]) => name)
    )
    const files = [
      ...controllers,
      ...services.flatMap((name) => (known.has(name) ? [`app/${known.get(name)}.ts`] : [])),
    ]
    const ways = [...new Set(files)]
      .flatMap(importsOf)
      .filter(({ target, typeOnly }) => !typeOnly && begins(target, CONTENTS))
    assert.isAbove(files.length, 15)
    assert.deepEqual(ways.map(told), [])
  })

  test('lists people and their agents by models that hold no secret', async ({ assert }) => {
    const lists = [
      ...filesOf('app/controllers/api/admin/*.ts'),
      ...filesOf('app/**/agent_directory.ts', 'app/**/user_directory.ts'),
    ]
    const ways = lists.flatMap(importsOf).filter(({ target }) => target === 'models/user_container')
    assert.isAbove(lists.length, 10)
    assert.deepEqual(ways.map(told), [])
  })

  test('asks the container for none of it', async ({ assert }) => {
    const asked = filesOf('app/controllers/api/admin/*.ts').flatMap((file) =>
      [...source(file).matchAll(/container\.make\('([^']+)'\)/g)].map(([, name]) => name)
    )
    assert.deepEqual(
      asked.filter((name) => begins(name, CONTENT_SERVICES)),
      []
    )
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

  test('every variable of the environment', ({ assert }) => {
    const variables = [...source('start/env.ts').matchAll(/^ +([A-Z_]+): Env\.schema/gm)]
    const named = [...source('docs/operations.md').matchAll(/`([A-Z_]+)`/g)]
    assert.isAbove(variables.length, 10)
    assert.includeMembers(
      [...named.map(([, name]) => name), 'NODE_ENV'],
      variables.map(([, name]) => name)
    )
  })

  test('every variable of {file}')
    .with([
      { file: 'docker/compose.yaml', chapter: 'docs/runtimes.md' },
      { file: 'docker/stack.yaml', chapter: 'docs/swarm.md' },
    ])
    .run(({ assert }, { file, chapter }) => {
      const variables = [...source(file).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name)
      const named = [...source(chapter).matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name)
      assert.isAbove(variables.length, 8)
      assert.includeMembers(named, variables)
    })

  test('every folder of the application', ({ assert }) => {
    const named = [...source('docs/architecture.md').matchAll(/`(?:app\/)?([a-z_]+)`/g)]
    assert.includeMembers(
      named.map(([, room]) => room),
      Object.keys(FLOORS)
    )
  })

  test('every chapter is a file, and every file a chapter', async ({ assert }) => {
    const files = filesOf('docs/*.md')
    const names = files.map((file) => file.replace(/^docs\/(.+)\.md$/, '$1'))
    assert.sameMembers([...CHAPTERS], names)
  })

  test('only places that are there', async ({ assert }) => {
    const files = filesOf('docs/*.md')
    const broken = ['README.md', ...files].flatMap((file) =>
      [...source(file).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/g)].flatMap(
        ([link, path, heading]) => {
          const target = path ? join(dirname(file), path) : file
          if (!existsSync(join(ROOT, target))) return [`${file}: ${link}`]
          return heading && !anchors(source(target)).includes(heading) ? [`${file}: ${link}`] : []
        }
      )
    )
    assert.deepEqual(broken, [])
  })

  test('every finding of a runtime, under its own heading', async ({ assert }) => {
    /** A code stands in a finding, is passed to `finding`, or is chosen by `codeOf`. */
    const said = filesOf('app/runtimes/**/*.ts', 'app/openclaw/*.ts').flatMap((file) =>
      [...source(file).matchAll(/\b(?:code: |finding\().+|\bfunction codeOf\([^]+?^\}/gm)].join(
        '\n'
      )
    )
    const codes = said.flatMap((text) =>
      [...text.matchAll(/(?:code: |finding\(|return |[?:] )['`]([^A-Z' ]+)['`]/g)].map(
        ([, code]) => code
      )
    )
    const headings = [...source('docs/runtimes.md').matchAll(/^### ([a-z_]+)$/gm)]
    assert.isAbove(codes.length, 10)
    assert.includeMembers(
      headings.map(([, heading]) => heading),
      codes
    )
  })

  test('every command, once', async ({ assert }) => {
    const files = filesOf('commands/*.ts')
    const commands = files.map((file) => /commandName = '([a-z:-]+)'/.exec(source(file))![1])
    const [section] = /^## Commands$[^]+?^## /m.exec(source('docs/operations.md'))!
    const cells = [...section.matchAll(/^\| (`.+?) \|/gm)].map(([, cell]) => cell)
    const named = cells.flatMap((cell) =>
      [...cell.matchAll(/`([a-z:-]+)/g)].map(([, name]) => name)
    )
    assert.sameMembers(named, commands)
  })

  test('every code of an error that a client of the API may get', async ({ assert }) => {
    /** Rooms whose errors operators and agents get, who are told what to do. */
    const rooms =
      /^app\/(plugins|console|installation|drivers|runtimes|llm_relay|agents\/(fleet|system_agents))\//
    const operators = ['E_SECRET_IN_ARGUMENTS', 'E_UNKNOWN_USER', 'E_NOT_ADMIN']
    const agents = ['E_AGENT_UNAUTHORIZED', 'E_KNOWLEDGE_OFF', 'E_NO_PROVIDER']
    /** Faults of Mosaic itself, and the base of others. */
    const faults = ['E_NO_ACCESS_RULE', 'E_VAULT_NOT_SEALED', 'E_SERVICE_ANSWER']
    const declared = /class (E_[A-Z_]+) [^{]*\{(?:\s+static override code = '(\w+)')?/g
    const codes = filesOf('app/**/*.ts')
      .filter((file) => !rooms.test(file))
      .flatMap((file) => [...source(file).matchAll(declared)])
      .map(([, name, code = name]) => code)
    const docs = filesOf('docs/*.md').map(source).join('\n')
    assert.sameMembers(
      codes.filter((code) => !docs.includes(`\`${code}\``)),
      [...operators, ...agents, ...faults]
    )
  })

  test('every metric', async ({ assert }) => {
    const files = filesOf('app/**/*.ts')
    const metrics = files.flatMap((file) =>
      [...source(file).matchAll(/'(mosaic_[a-z]+_[a-z_]+|mosaic_agents)'/g)].map(([, name]) => name)
    )
    const named = [...source('docs/metrics.md').matchAll(/`(mosaic_[a-z_]+)`/g)]
    assert.includeMembers(
      named.map(([, name]) => name),
      metrics
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
    const files = filesOf('app/llm/adapters/*.ts')
    assert.sameMembers(
      files.map((file) => file.replace(/^.*\/(.+)\.ts$/, '$1')),
      Object.keys(adapters)
    )
  })
})

test.group('Architecture | an image of Mosaic', () => {
  test('is made from all that a build takes along', ({ assert }) => {
    const ignored = source('.dockerignore').split('\n').filter(Boolean)
    const taken = [...source('adonisrc.ts').matchAll(/pattern: '([^'*]+)\//g)].map(([, at]) => at)
    assert.isNotEmpty(taken)
    const missing = taken.filter((folder) =>
      ignored.some((one) => `${folder}/`.startsWith(`${one}/`))
    )
    assert.deepEqual(missing, [])
  })
})
