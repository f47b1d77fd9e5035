import { readdirSync, readFileSync } from 'node:fs'

/** A start takes a tenth of a second, so two instances of one agent are seen several times. */
const LOOK_EVERY_MS = 50

/** What names an agent in the environment of its gateway. */
const STATE = /(?:^|\0)OPENCLAW_STATE_DIR=([^\0]+)/

/** Looks again and again whether two processes are at work on the state of one agent. */
export class ProcessWatch {
  readonly #folder: string
  readonly #twins: Set<string>
  readonly #timer: NodeJS.Timeout
  /** Processes that were there before any agent: they are most, and need not be read again and again. */
  #strangers = processes()

  /** Only agents below `folder` are looked at; `twins` gets those that were seen with two. */
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
    /** The number of one that has ended may be an agent's next. */
    this.#strangers = this.#strangers.intersection(present)
    for (const pid of present.difference(this.#strangers)) {
      const state = this.#stateOf(pid)
      if (!state) continue
      if (seen.has(state)) this.#twins.add(state)
      seen.add(state)
    }
  }

  /** The state that a gateway works on; null for every other process. */
  #stateOf(pid: string): string | null {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      if (!words.includes('openclaw.mjs')) return null
      const state = STATE.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1]
      return state?.startsWith(this.#folder) ? state : null
    } catch {
      /** It ended while it was looked at. */
      return null
    }
  }
}

function processes(): Set<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
}
