export class PrivatePostgres {
  start(): Promise<void>
  newDatabase(name: string): Promise<string>
  bySocket(url: string): string
  stop(): Promise<void>
}
