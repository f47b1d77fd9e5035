import DOMPurify from 'dompurify'
import { Marked, type Tokens } from 'marked'
import { t } from '~/locales'

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
        <pre tabindex="0"><code>${escape(text)}</code></pre>
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
    'data-copy',
  ],
  ALLOW_DATA_ATTR: false,
  ADD_ATTR: ['data-copy'],
}

export function render(text: string): string {
  return DOMPurify.sanitize(markdown.parse(text, { async: false }), ALLOWED)
}
