export class PrivatePostgres {
  constructor(settings?: string[])
  start(): Promise<void>
  newDatabase(name: string): Promise<string>
  bySocket(url: string): string
  restart(awayMs: number): Promise<void>
  ask<Row>(url: string, sql: string): Promise<Row[]>
  stop(): Promise<void>
}
