import DOMPurify from 'dompurify'
import { Marked, type Tokens } from 'marked'

/** Renders Mosaic's own documentation as HTML, with linkable headings and links to other chapters. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-')

/** Converts a link: `operations.md#keys` is a chapter here; repository files outside the docs are not. */
function toHere(href: string): string | null {
  if (/^(https?:|mailto:|#)/.test(href)) return href
  const [, chapter, hash = ''] = /^(?:docs\/)?([a-z_]+)\.md(#.*)?$/.exec(href) ?? []
  return chapter ? `/docs/${chapter}${hash}` : null
}

const markdown = new Marked({
  gfm: true,
  renderer: {
    heading({ tokens, depth, text }: Tokens.Heading) {
      return `<h${depth} id="${anchor(text)}">${this.parser.parseInline(tokens)}</h${depth}>`
    },
    link({ href, tokens }: Tokens.Link) {
      const label = this.parser.parseInline(tokens)
      const address = toHere(href)
      return address ? `<a href="${address}">${label}</a>` : label
    },
    image: () => '',
    /** Scrollable regions must be keyboard-accessible. A row about one name gets an anchor. */
    table({ header, rows }: Tokens.Table) {
      const row = (cells: Tokens.TableCell[], tag: string) => {
        const [first] = cells[0].tokens
        const isName = cells[0].tokens.length === 1 && first.type === 'codespan'
        const id = isName ? ` id="${anchor(cells[0].text)}"` : ''
        const inner = cells.map(
          (cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`
        )
        return `<tr${id}>${inner.join('')}</tr>`
      }
      const named = header.some(({ text }) => text)
      const head = named ? `<thead>${row(header, 'th')}</thead>` : ''
      return `<table tabindex="0">${head}<tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table>`
    },
  },
})

export function renderDocs(text: string): string {
  const html = markdown.parse(text, { async: false })
  /** Long lines scroll, which must be possible by keyboard. */
  return DOMPurify.sanitize(html.replaceAll('<pre>', '<pre tabindex="0">'))
}
