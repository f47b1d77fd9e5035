import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'

/** Mounts a small disk at a folder. Requires root. */
export class SmallDisk {
  static readonly isPossible = process.getuid?.() === 0

  readonly #folder: string
  readonly #ballast: string

  constructor(folder: string, kilobytes: number) {
    const options = `size=${kilobytes}k,mode=755`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
    this.#folder = folder
    this.#ballast = join(folder, 'ballast')
  }

  /** Fills the disk to the last block. */
  fill(): void {
    const to = `of=${this.#ballast}`
    const child = spawnSync('dd', ['if=/dev/zero', to, 'bs=4k'], { stdio: 'ignore' })
    if (child.status === 0) throw new Error('The disk has no end.')
  }

  makeRoom(): void {
    rmSync(this.#ballast)
  }

  remove(): void {
    execFileSync('umount', ['-l', this.#folder])
  }
}
