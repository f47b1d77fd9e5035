export class TestSwarm {
  start(): Promise<'running'>
  addGatewayImage(): Promise<void>
  get env(): Record<string, string>
  get inside(): string[]
  stop(): Promise<void>
}
