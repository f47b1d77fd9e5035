export class PrivatePostgres {
  start(): Promise<void>
  newDatabase(name: string): Promise<string>
  bySocket(url: string): string
  restart(awayMs: number): Promise<void>
  stop(): Promise<void>
}
