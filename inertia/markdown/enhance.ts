/** Post-processing of finished Markdown blocks, loaded only if a block needs it. */

/** Longer code is not highlighted: the cost outweighs the benefit. */
const LONGEST_CODE = 50_000

/** highlight.js grammars by common language names; each is a separate chunk, loaded on demand. */
const LANGUAGES: Record<string, () => Promise<{ default: any }>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  go: () => import('highlight.js/lib/languages/go'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  lua: () => import('highlight.js/lib/languages/lua'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  php: () => import('highlight.js/lib/languages/php'),
  python: () => import('highlight.js/lib/languages/python'),
  r: () => import('highlight.js/lib/languages/r'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  scss: () => import('highlight.js/lib/languages/scss'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
}

const ALIASES: Record<string, string> = {
  'c++': 'cpp',
  'cs': 'csharp',
  'docker': 'dockerfile',
  'html': 'xml',
  'js': 'javascript',
  'jsx': 'javascript',
  'md': 'markdown',
  'py': 'python',
  'rb': 'ruby',
  'rs': 'rust',
  'sh': 'bash',
  'shell': 'bash',
  'svg': 'xml',
  'toml': 'ini',
  'ts': 'typescript',
  'tsx': 'typescript',
  'vue': 'xml',
  'yml': 'yaml',
  'zsh': 'bash',
}

/** Highlights a block's code, draws its formulas, and makes scrollable parts keyboard-accessible. */
export async function enhance(block: HTMLElement): Promise<void> {
  for (const table of block.querySelectorAll('table')) table.tabIndex = 0
  await Promise.all([
    ...[...block.querySelectorAll<HTMLElement>('code[data-language]')].map(colour),
    ...[...block.querySelectorAll<HTMLElement>('.tex')].map(draw),
  ])
}

async function colour(code: HTMLElement): Promise<void> {
  const named = (code.dataset.language ?? '').toLowerCase()
  const language = ALIASES[named] ?? named
  const text = code.textContent ?? ''
  if (!Object.hasOwn(LANGUAGES, language) || text.length > LONGEST_CODE) return
  const [{ default: highlighter }, { default: grammar }] = await Promise.all([
    import('highlight.js/lib/core'),
    LANGUAGES[language](),
  ])
  if (!highlighter.getLanguage(language)) highlighter.registerLanguage(language, grammar)
  code.innerHTML = highlighter.highlight(text, { language, ignoreIllegals: true }).value
}

/** Draws a formula as MathML, which browsers render with their own fonts and screen readers can read. */
async function draw(span: HTMLElement): Promise<void> {
  const { tex = '', display } = span.dataset
  const { default: katex } = await import('katex')
  katex.render(tex, span, {
    output: 'mathml',
    displayMode: display === 'true',
    throwOnError: false,
    maxSize: 20,
    maxExpand: 500,
  })
  span.classList.toggle('tex-display', display === 'true')
}
