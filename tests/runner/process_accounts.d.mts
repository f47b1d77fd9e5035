export interface Account {
  pid: number
  parent: number
  bornAt: string
  own: number
  ofChildren: number
}

export class ProcessAccounts {
  constructor(isMember: (pid: number, tries: number) => boolean)
  look(processes: Account[]): number
}
