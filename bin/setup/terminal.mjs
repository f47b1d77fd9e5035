/**
 * Shows the steps of a set-up, one line each: a moving bar on a terminal, or a line every ten seconds if the
 * output is a file or CI.
 */

const BAR_WIDTH = 24
const FRAME_MS = 120
const QUIET_LINE_MS = 10_000
const LABEL_WIDTH = 20
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export class Terminal {
  #out
  #colour

  /** @param {NodeJS.WriteStream} [out] */
  constructor(out = process.stdout) {
    this.#out = out
    this.#colour = Boolean(out.isTTY) && !process.env.NO_COLOR
  }

  /** @param {string} [text] */
  line(text = '') {
    this.#out.write(`${text}\n`)
  }

  /** @param {string} text */
  strong(text) {
    return this.#colour ? `\x1b[1m${text}\x1b[22m` : text
  }

  /** @param {string} text */
  quiet(text) {
    return this.#colour ? `\x1b[2m${text}\x1b[22m` : text
  }

  /** @param {string} text */
  link(text) {
    return this.#colour ? `\x1b[36;4m${text}\x1b[0m` : text
  }

  /**
   * Runs one step and shows it. `work` may report progress from 0 to 1, and returns a description of the
   * outcome. A failure ends the line and is rethrown.
   *
   * @param {string} label
   * @param {(report: (share: number) => void) => Promise<string>} work
   */
  async step(label, work) {
    const startedAt = Date.now()
    const seconds = () => Math.round((Date.now() - startedAt) / 1000)
    let share = null
    let frame = 0

    const draw = () => {
      const spinner = SPINNER[frame++ % SPINNER.length]
      const text = `  ${spinner} ${label.padEnd(LABEL_WIDTH)} ${bar(share)} ${seconds()} s`
      this.#out.write(`\r\x1b[K${text}`)
    }
    const mention = () => {
      const far = share === null ? '' : `, ${percent(share)}`
      this.line(`  … ${label.padEnd(LABEL_WIDTH)} ${seconds()} s${far}`)
    }

    const timer = this.#out.isTTY
      ? setInterval(draw, FRAME_MS)
      : setInterval(mention, QUIET_LINE_MS)
    const end = (mark, text) => {
      clearInterval(timer)
      const before = this.#out.isTTY ? '\r\x1b[K' : ''
      this.#out.write(`${before}  ${mark} ${label.padEnd(LABEL_WIDTH)} ${text}\n`)
    }

    try {
      const outcome = await work((value) => {
        share = Math.max(share ?? 0, Math.min(value, 1))
      })
      const took = seconds()
      end('✓', took < 2 ? outcome : `${outcome} ${this.quiet(`(${took} s)`)}`)
    } catch (error) {
      end('✗', 'failed')
      throw error
    }
  }
}

function bar(share) {
  if (share === null) return ''
  const full = Math.round(share * BAR_WIDTH)
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${percent(share)}`
}

function percent(share) {
  return `${Math.floor(share * 100)} %`
}
