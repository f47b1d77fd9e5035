import { readdirSync, readFileSync } from 'node:fs'

/** A start takes a tenth of a second, so duplicate instances are seen several times. */
const LOOK_EVERY_MS = 50

/** Identifies an agent in its gateway's environment. */
const STATE = /(?:^|\0)OPENCLAW_STATE_DIR=([^\0]+)/

/** Polls for two processes that work on the same agent's state. */
export class ProcessWatch {
  readonly #folder: string
  readonly #twins: Set<string>
  readonly #timer: NodeJS.Timeout
  /** Processes older than any agent: the majority, so they are not read again. */
  #strangers = processes()

  /** Watches only agents below `folder`; `twins` collects those seen with two processes. */
  constructor(folder: string, twins: Set<string>) {
    this.#folder = folder
    this.#twins = twins
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const seen = new Set<string>()
    const present = processes()
    /** An agent may get the pid of a process that has ended. */
    this.#strangers = this.#strangers.intersection(present)
    for (const pid of present.difference(this.#strangers)) {
      const state = this.#stateOf(pid)
      if (!state) continue
      if (seen.has(state)) this.#twins.add(state)
      seen.add(state)
    }
  }

  /** Returns the state folder of a gateway; null for any other process. */
  #stateOf(pid: string): string | null {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      if (!words.includes('openclaw.mjs')) return null
      const state = STATE.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1]
      return state?.startsWith(this.#folder) ? state : null
    } catch {
      /** It ended meanwhile. */
      return null
    }
  }
}

function processes(): Set<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
}
