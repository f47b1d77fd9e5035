interface Scheduled {
  needs: string[]
  uses?: string[]
}

export class Schedule<Run extends Scheduled> {
  constructor(runs: Run[], how: { places: number; work: (run: Run) => Promise<void> })
  add(need: string): void
  stop(): void
  run(): Promise<void>
}
