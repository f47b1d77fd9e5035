export class PrivatePostgres {
  start(): Promise<void>
  newDatabase(name: string): Promise<string>
  stop(): Promise<void>
}
