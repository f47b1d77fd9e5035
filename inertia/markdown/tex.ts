import type { TokenizerAndRendererExtension } from 'marked'

/** Longer text is not a formula but, say, a stray dollar sign. */
const LONGEST = 4000

/** Formula delimiters: `\(…\)`, `\[…\]` and `$$…$$`. A single dollar more often means money. */
const PAIRS: Record<string, { end: string; display: boolean }> = {
  '\\(': { end: '\\)', display: false },
  '\\[': { end: '\\]', display: true },
  '$$': { end: '$$', display: true },
}

const escape = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/**
 * Formula token for marked, so that nothing in a formula is parsed as Markdown and backslashes survive.
 * Emitted as TeX; `enhance.ts` draws formulas once they are complete.
 */
export const tex: TokenizerAndRendererExtension = {
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
  renderer: ({ raw, text, display }) =>
    `<span class="tex" data-tex="${escape(text)}"${display ? ' data-display="true"' : ''}>${escape(raw)}</span>`,
}
