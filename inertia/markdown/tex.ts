import type { MarkedExtension, TokenizerAndRendererExtension, Tokens } from 'marked'

/** Longer text is not a formula but, say, a stray dollar sign. */
const LONGEST = 4000

/** Formula delimiters: `\(…\)`, `\[…\]` and `$$…$$`. A single dollar more often means money. */
const PAIRS: Record<string, { end: string; display: boolean }> = {
  '\\(': { end: '\\)', display: false },
  '\\[': { end: '\\]', display: true },
  '$$': { end: '$$', display: true },
}

const escape = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

const html = ({ raw, text, display }: Tokens.Generic) =>
  `<span class="tex" data-tex="${escape(text)}"${display ? ' data-display="true"' : ''}>${escape(raw.trim())}</span>`

/** Start of a line that begins with a formula of its own. */
const OF_BLOCK = /(?:^|\n) {0,3}(\\\[|\$\$)/

/**
 * Formula token for marked, so that nothing in a formula is parsed as Markdown and backslashes survive.
 * Emitted as TeX; `enhance.ts` draws formulas once they are complete.
 */
const inline: TokenizerAndRendererExtension = {
  name: 'tex',
  level: 'inline',
  start: (source) => {
    const at = source.search(/\\[([]|\$\$/)
    return at === -1 ? undefined : at
  },
  tokenizer(source) {
    const pair = PAIRS[source.slice(0, 2)]
    if (!pair) return
    const end = source.slice(0, LONGEST).indexOf(pair.end, 2)
    if (end <= 2) return
    return {
      type: 'tex',
      raw: source.slice(0, end + 2),
      text: source.slice(2, end).trim(),
      display: pair.display,
    }
  },
  renderer: html,
}

/** A formula of several lines: as a part of a paragraph, a line with `=` or `-` would make a heading or a list of it. */
const block: TokenizerAndRendererExtension = {
  name: 'texBlock',
  level: 'block',
  start: startOfBlock,
  tokenizer(source) {
    const found = OF_BLOCK.exec(source.slice(0, 5))
    if (found?.index !== 0 || source.startsWith('\n')) return
    const begin = found[0].length
    const end = source.slice(0, LONGEST).indexOf(PAIRS[found[1]].end, begin)
    const text = source.slice(begin, end).trim()
    if (end === -1 || !source.slice(begin, end).includes('\n') || !text) return
    const raw = source.slice(0, end + 2)
    const rest = /^[ \t]*\n/.exec(source.slice(raw.length))?.[0] ?? ''
    return { type: 'texBlock', raw: raw + rest, text, display: true }
  },
  renderer: (token) => `<p>${html(token)}</p>`,
}

/** Returns where a block formula starts within the first paragraph of the text. */
function startOfBlock(source: string): number | undefined {
  const end = source.indexOf('\n\n')
  const found = OF_BLOCK.exec(end === -1 ? source : source.slice(0, end))
  if (found) return found[0].startsWith('\n') ? found.index + 1 : found.index
}

/** Whether a text has the beginning of a block formula whose end may be yet to come. */
export function opensFormula(source: string): boolean {
  const found = OF_BLOCK.exec(source)
  if (!found || source.length - found.index > LONGEST) return false
  return source.indexOf(PAIRS[found[1]].end, found.index + found[0].length) === -1
}

/** Formulas for marked. */
export const tex: MarkedExtension = {
  extensions: [inline, block],
  tokenizer: {
    /** A formula below a line of text is no heading with that line. `false` leaves it to marked. */
    lheading: (source) => (startOfBlock(source) === undefined ? false : undefined),
  },
}
