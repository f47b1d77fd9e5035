import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AgentFolder, FOLDER_MARK } from '#runtimes/drivers/process/agent_folder'

/** A start takes a tenth of a second, so duplicate instances are seen several times. */
const LOOK_EVERY_MS = 50

/** The mark of an agent's folder in its gateway's environment, whose paths are the same for each agent. */
const MARK = new RegExp(`(?:^|\\0)${FOLDER_MARK}=([^\\0]+)`)

/** Polls for two gateways of the same agent. */
export class ProcessWatch {
  readonly #agents: string
  readonly #twins: Set<string>
  readonly #timer: NodeJS.Timeout
  /** Processes older than any agent: the majority, so they are not read again. */
  #strangers = processes()
  #twiceBefore = new Set<string>()
  #hasSeen = false

  /** Watches only agents whose folders are in `agents`; `twins` collects the folders of those seen with two. */
  constructor(agents: string, twins: Set<string>) {
    this.#agents = agents
    this.#twins = twins
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const present = processes()
    /** An agent may get the pid of a process that has ended. */
    this.#strangers = this.#strangers.intersection(present)
    const marks = [...present.difference(this.#strangers)].flatMap((pid) => markOf(pid) ?? [])
    this.#hasSeen ||= marks.length > 0
    const twice = new Set(marks.filter((mark, at) => marks.indexOf(mark) !== at))
    /** A program that a gateway starts has its words until it has begun. */
    this.#note(twice.intersection(this.#twiceBefore))
    this.#twiceBefore = twice
  }

  /** @throws if it saw no gateway at all, and so would have seen no two of them */
  assertSeen(): void {
    if (!this.#hasSeen) throw new Error('The watch saw no gateway of any agent')
  }

  #note(marks: Set<string>): void {
    if (marks.size === 0) return
    const agents = realpathSync(this.#agents)
    for (const name of readdirSync(agents)) {
      const path = join(agents, name)
      if (marks.has(new AgentFolder(path, null).mark)) this.#twins.add(path)
    }
  }
}

/** Returns whose gateway a process is; null for any other process. */
function markOf(pid: string): string | null {
  try {
    const [program, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    /** The sandbox around a gateway has its words too. */
    if (basename(program) !== 'node' || !words.some((word) => word.endsWith('openclaw.mjs')))
      return null
    return MARK.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1] ?? null
  } catch {
    /** It ended meanwhile. */
    return null
  }
}

function processes(): Set<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
}
