import { test } from '@japa/runner'
import { Marked } from 'marked'
import { opensFormula, tex } from '../../../inertia/markdown/tex.js'

const markdown = new Marked(tex, { gfm: true, breaks: true })
const parse = (text: string) => String(markdown.parse(text))
const formulas = (html: string) =>
  [...html.matchAll(/data-tex="([^"]*)" data-display="true"/g)].map(([, text]) => text)

test.group('Formulas in Markdown', () => {
  test('of several lines are whole, though a line alone would be Markdown: {name}')
    .with([
      { name: 'brackets', text: '\\[\na\n=\nb\n\\]' },
      { name: 'dollars', text: '$$\na\n- b\n+ c\n= d\n$$' },
      { name: 'below a line of text', text: 'We have\n$$\na\n=\nb\n$$\nand more' },
      { name: 'with a full stop behind', text: '\\[\na\n- b\n\\].' },
      { name: 'indented', text: '  $$\n  a\n  =\n  b\n  $$' },
    ])
    .run(({ assert }, { text }) => {
      const html = parse(text)
      assert.lengthOf(formulas(html), 1)
      assert.notMatch(html, /<(h\d|ul|li)\b/)
    })

  test('leave the text around them as it is', ({ assert }) => {
    const html = parse('Title\n=\n\n\\[\na\n=\nb\n\\]\n\n- one\n- two\n\nIt costs $5.\n$$ stray')
    assert.deepEqual(formulas(html), ['a\n=\nb'])
    assert.match(html, /<h1>Title<\/h1>/)
    assert.match(html, /<li>one<\/li>/)
    assert.match(html, /It costs \$5\.<br>\$\$ stray/)
  })

  test('on one line stay within their sentence', ({ assert }) => {
    const html = parse('$$x$$ and \\(y\\)')
    assert.deepEqual(formulas(html), ['x'])
    assert.match(html, /data-tex="y"/)
  })

  test('are open until their end has arrived', ({ assert }) => {
    assert.isTrue(opensFormula('We have\n$$\na\n='))
    assert.isFalse(opensFormula('We have\n$$\na\n=\nb\n$$'))
    assert.isFalse(opensFormula('It costs 5 $$'))
    assert.isFalse(opensFormula(`$$\n${'a'.repeat(5000)}`))
  })
})
