import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AgentFolder, FOLDER_MARK } from '#runtimes/drivers/process/agent_folder'

/** A start takes a tenth of a second, so duplicate instances are seen several times. */
const LOOK_EVERY_MS = 50

/** Identifies an agent in its gateway's environment, also in a sandbox. */
const MARK = new RegExp(`(?:^|\\0)${FOLDER_MARK}=([^\\0]+)`)

const GATEWAY = 'openclaw.mjs'

/** Polls for two processes that work for the same agent. */
export class ProcessWatch {
  readonly #folder: string
  readonly #timer: NodeJS.Timeout
  readonly #seen = new Set<string>()
  readonly #twins = new Set<string>()
  #twiceBefore = new Set<string>()
  /** Processes older than any agent: the majority, so they are not read again. */
  #strangers = processes()

  /** @param folder of all agents; it need not exist yet */
  constructor(folder: string) {
    this.#folder = folder
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  /**
   * Returns a sentence for each agent that had two processes.
   *
   * @throws if no process of any agent was seen
   */
  doubles(): string[] {
    const agents = readdirSync(this.#folder).map((name) => {
      const { mark } = new AgentFolder(realpathSync(join(this.#folder, name)), null)
      return { name, mark }
    })
    if (!agents.some(({ mark }) => this.#seen.has(mark))) {
      throw new Error('No process of any agent was seen')
    }
    const twins = agents.filter(({ mark }) => this.#twins.has(mark))
    return twins.map(({ name }) => `${name} had two processes at the same time`)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const present = processes()
    /** An agent may get the pid of a process that has ended. */
    this.#strangers = this.#strangers.intersection(present)
    const marks = [...present.difference(this.#strangers)].flatMap((pid) => markOf(pid) ?? [])
    for (const mark of marks) this.#seen.add(mark)
    const twice = new Set(marks.filter((mark, at) => marks.indexOf(mark) !== at))
    /** A gateway's child has the gateway's command line until it runs its own program: one look is not enough. */
    for (const mark of twice.intersection(this.#twiceBefore)) this.#twins.add(mark)
    this.#twiceBefore = twice
  }
}

/** Returns the mark of a gateway's agent; null for any other process. */
function markOf(pid: string): string | null {
  try {
    const [program, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    /** The sandbox around a gateway has its words too. */
    const isGateway = basename(program) === 'node' && words.some((word) => word.endsWith(GATEWAY))
    if (!isGateway) return null
    return MARK.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1] ?? null
  } catch {
    /** It ended meanwhile. */
    return null
  }
}

function processes(): Set<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
}
