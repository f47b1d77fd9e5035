import { readFileSync } from 'node:fs'
import app from '@adonisjs/core/services/app'

/** Returns the lines of a block of commands under a heading of docs/backup.md, as an operator would copy them. */
export function backupLines(heading: string, block = 0): string[] {
  const chapter = readFileSync(app.makePath('docs/backup.md'), 'utf8')
  const section = chapter.split(/^###? /m).find((text) => text.startsWith(`${heading}\n`))
  const blocks = [...(section ?? '').matchAll(/^ *```sh\n([^]*?)^ *```$/gm)]
  if (!blocks[block]) throw new Error(`docs/backup.md has no block ${block} under "${heading}"`)
  return blocks[block][1].split('\n').flatMap((line) => line.trim() || [])
}
