import DOMPurify from 'dompurify'
import { Marked, type Token, type Tokens } from 'marked'
import { t } from '~/locales'
import { opensFormula, tex } from '~/markdown/tex'

/**
 * Renders an agent's or user's Markdown as safe HTML. Embedded HTML is shown as text, pictures become links
 * (a picture tells its server who looks, and when), and only web and mail addresses are followed.
 */
const SAFE_ADDRESS = /^(https?:|mailto:)/i

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string) => text.replace(/[&<>"']/g, (char) => ESCAPES[char])

const link = (href: string, label: string) =>
  SAFE_ADDRESS.test(href)
    ? `<a href="${escape(href)}" target="_blank" rel="noopener noreferrer nofollow">${label}</a>`
    : label

const markdown = new Marked(tex, {
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escape(text),
    image: ({ href, text }: Tokens.Image) =>
      link(href, escape(t('chat.picture', { name: text || href }))),
    link({ href, tokens }: Tokens.Link) {
      return link(href, this.parser.parseInline(tokens))
    },
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
    code: ({ text, lang }: Tokens.Code) => `
      <div class="code-block">
        <div class="code-bar">
          <span>${escape(lang?.split(/\s/)[0] || t('chat.code'))}</span>
          <button type="button" data-copy>${t('copy')}</button>
        </div>
        <pre tabindex="0" dir="ltr"><code data-language="${escape(lang?.split(/\s/)[0] ?? '')}">${escape(text)}</code></pre>
      </div>`,
  },
})

const ALLOWED = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'a', 'span', 'div'],
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'button'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: [
    'href',
    'target',
    'rel',
    'class',
    'align',
    'start',
    'type',
    'tabindex',
    'dir',
    'data-copy',
    'data-language',
    'data-tex',
    'data-display',
  ],
  ALLOW_DATA_ATTR: false,
  ADD_ATTR: ['data-copy', 'data-language', 'data-tex', 'data-display'],
}

const clean = (html: string) => DOMPurify.sanitize(html, ALLOWED)

/** One rendered block. */
export interface Block {
  html: string
  /** No further text will be added. */
  finished: boolean
}

/**
 * Renders growing Markdown. Finished blocks are rendered once and cached, so each new piece costs only the
 * last block.
 */
export class GrowingMarkdown {
  #finished: Block[] = []
  /** Number of characters in the finished blocks. */
  #length = 0
  #text = ''

  /** Returns the blocks of the text. Starts over if the text does not extend the previous one. */
  update(received: string, complete: boolean): Block[] {
    const text = withLineFeeds(received, complete)
    if (!text.startsWith(this.#text)) {
      this.#finished = []
      this.#length = 0
    }
    this.#text = text
    const tokens: Token[] = markdown.lexer(text.slice(this.#length))
    const open = complete ? tokens.length : Math.min(lastBlockOf(tokens), openFormulaOf(tokens))
    for (const token of tokens.slice(0, open)) {
      this.#length += token.raw.length
      const html = htmlOf([token])
      if (html) this.#finished.push({ html, finished: true })
    }
    const rest = htmlOf(tokens.slice(open))
    return rest ? [...this.#finished, { html: rest, finished: false }] : [...this.#finished]
  }
}

/**
 * Returns the text with LF alone, as the parser counts it. A CR at the end of growing text is left out: the LF behind
 * it may be yet to come.
 */
const withLineFeeds = (text: string, complete: boolean) =>
  (complete ? text : text.replace(/\r$/, '')).replace(/\r\n?/g, '\n')

/** Returns where the last block starts. It may still grow, even after a blank line, as lists do. */
function lastBlockOf(tokens: Token[]): number {
  const at = tokens.findLastIndex(({ type }) => type !== 'space')
  return at === -1 ? 0 : at
}

/** Returns where a formula without an end starts: what follows belongs to it, if the end arrives. */
function openFormulaOf(tokens: Token[]): number {
  const at = tokens.findIndex(
    ({ type, raw }, index) =>
      (type === 'paragraph' || type === 'heading') &&
      OF_FORMULA.test(raw) &&
      opensFormula(rawOf(tokens.slice(index)))
  )
  return at === -1 ? tokens.length : at
}

const OF_FORMULA = /\$\$|\\\[/
const rawOf = (tokens: Token[]) => tokens.map(({ raw }) => raw).join('')

const htmlOf = (tokens: Token[]) =>
  tokens.every(({ type }) => type === 'space' || type === 'def')
    ? ''
    : clean(markdown.parser(tokens))
