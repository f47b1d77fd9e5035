export function processIds(): number[]
export function naming(folder: string): (pid: number) => boolean
export function belongingTo(folder: string): (pid: number) => boolean
export function processesOf(folder: string): number[]
export function withDescendants(pids: number[]): number[]
export function statOf(pid: number): { state: string; parent: number; startedAt: number } | null
export function read(pid: number | 'self', name: string, proc?: string): string
