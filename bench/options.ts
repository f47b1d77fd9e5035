/** Options of a run that groups may use. */
export interface GroupOptions {
  /** Leaves agents alone for seconds rather than minutes. */
  quick: boolean
  /** Runtimes of the real agents. */
  drivers: string[]
  /** Repetitions of what takes minutes. */
  rounds: number
  /** Size of temporary swap; 0 uses what the machine has. */
  swapMb: number
  /** Whether that swap is compressed memory rather than a file. */
  zram: boolean
}
