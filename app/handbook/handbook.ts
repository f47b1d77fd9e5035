import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '#drivers/contract_error'

/** All chapters, named like their files without `.md`, in display order. */
export const CHAPTERS = [
  'operations',
  'oidc',
  'runtimes',
  'swarm',
  'backup',
  'upgrade',
  'metrics',
  'chat',
  'api',
  'clients',
  'knowledge',
  'plugin_guide',
  'architecture',
  'benchmarks',
  'scaling',
  'threat_model',
] as const

/** There is no chapter of this name. */
export class E_UNKNOWN_CHAPTER extends CodedError {
  static override status = 404
  static override message = 'The documentation has no such chapter.'
  static override help = 'The list of all chapters is at /docs.'
}

export interface Chapter {
  name: string
  title: string
  /** Markdown, without the title. */
  text: string
}

/** This version's documentation, shipped with the code. */
export class Handbook {
  constructor(protected folder: string) {}

  /** Lists the chapters in order. */
  async list(): Promise<Pick<Chapter, 'name' | 'title'>[]> {
    const all = await Promise.all(CHAPTERS.map((name) => this.#read(name)))
    return all.flatMap((chapter) => {
      return chapter ? [{ name: chapter.name, title: chapter.title }] : []
    })
  }

  /** @throws E_UNKNOWN_CHAPTER */
  async read(name: string): Promise<Chapter> {
    const isChapter = (CHAPTERS as readonly string[]).includes(name)
    const chapter = isChapter ? await this.#read(name) : null
    if (!chapter) throw new E_UNKNOWN_CHAPTER()
    return chapter
  }

  async #read(name: string): Promise<Chapter | null> {
    const source = await readFile(join(this.folder, `${name}.md`), 'utf8').catch(() => null)
    if (source === null) return null
    const [, title = name, text = ''] = /^# (.+)\n([^]*)$/.exec(source) ?? []
    return { name, title, text }
  }
}
