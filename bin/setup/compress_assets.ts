import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const KINDS = /\.(js|css)$/

/** Smaller files fit into one packet either way. */
const LEAST_BYTES = 1024

const brotli = promisify(brotliCompress)
const zip = promisify(gzip)

/** A Vite plugin that writes each script and style in two compressed formats as well. */
export function compressAssets(): Plugin {
  return {
    name: 'compress-assets',
    apply: 'build',
    async writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((file) => KINDS.test(file))) {
        const path = join(dir!, name)
        const content = await readFile(path)
        if (content.length < LEAST_BYTES) continue
        await writeFile(`${path}.br`, await brotli(content))
        await writeFile(`${path}.gz`, await zip(content))
      }
    },
  }
}
