export class TestEngine {
  constructor(kind?: 'docker' | 'podman')
  start(): Promise<'running' | 'given'>
  addGatewayImage(): Promise<void>
  addOpenclawImage(storage: string): Promise<void>
  get env(): Record<string, string>
  get inside(): string[]
  get within(): string[]
  stop(): Promise<void>
}
