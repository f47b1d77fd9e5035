import DOMPurify from 'dompurify'
import { Marked, type Token, type Tokens } from 'marked'
import { t } from '~/locales'
import { tex } from '~/markdown/tex'

/**
 * Markdown of an agent or its owner, as HTML that is safe to show. It may link, and that is all: HTML
 * in it is shown as text, pictures become links (a picture tells its server who looks, and when), and
 * only web and mail addresses are followed.
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

const markdown = new Marked({
  gfm: true,
  breaks: true,
  extensions: [tex],
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

/** One block of the text, as it stands on the page. */
export interface Block {
  html: string
  /** Nothing more comes to it. */
  finished: boolean
}

/**
 * Markdown that grows at its end. Finished blocks are rendered once and kept, so that each piece of an answer
 * costs what its last block costs, and not the whole answer.
 */
export class GrowingMarkdown {
  #finished: Block[] = []
  /** Characters of the text that the finished blocks are made of. */
  #length = 0
  #text = ''

  /** The blocks of the text. A text that does not begin as the last one did begins anew. */
  update(text: string, complete: boolean): Block[] {
    if (!text.startsWith(this.#text)) {
      this.#finished = []
      this.#length = 0
    }
    this.#text = text
    const tokens: Token[] = markdown.lexer(text.slice(this.#length))
    const open = complete ? tokens.length : lastBlockOf(tokens)
    for (const token of tokens.slice(0, open)) {
      this.#length += token.raw.length
      const html = htmlOf([token])
      if (html) this.#finished.push({ html, finished: true })
    }
    const rest = htmlOf(tokens.slice(open))
    return rest ? [...this.#finished, { html: rest, finished: false }] : [...this.#finished]
  }
}

/** The last block may go on, and a blank line behind it too: a list, for one. */
function lastBlockOf(tokens: Token[]): number {
  const at = tokens.findLastIndex(({ type }) => type !== 'space')
  return at === -1 ? 0 : at
}

const htmlOf = (tokens: Token[]) =>
  tokens.every(({ type }) => type === 'space' || type === 'def')
    ? ''
    : clean(markdown.parser(tokens))
