/** The parts of the swarm's API that the driver reads. */

/** What a service asks for. The driver writes more than it reads: see `agent_service.ts`. */
export interface ServiceSpec {
  Name: string
  Labels: Record<string, string>
  Mode: { Replicated?: { Replicas: number }; Global?: object; GlobalJob?: object }
  TaskTemplate: TaskSpec
  EndpointSpec?: object
  UpdateConfig?: object
}

export interface TaskSpec {
  ContainerSpec: Record<string, unknown> & { Image: string; Labels?: Record<string, string> }
  Placement?: { Constraints?: string[] }
  Resources?: { Limits?: object; Reservations?: { MemoryBytes?: number } }
  /** Increases with each start of an agent, so that its task can be told from earlier ones. */
  ForceUpdate?: number
  [other: string]: unknown
}

export interface Service {
  ID: string
  Version: { Index: number }
  CreatedAt: string
  Spec: ServiceSpec
}

export interface Task {
  ID: string
  CreatedAt: string
  NodeID?: string
  DesiredState: string
  Spec: TaskSpec
  Status: {
    State: TaskState
    Timestamp: string
    Err?: string
    ContainerStatus?: { ContainerID: string; ExitCode: number }
    PortStatus?: { Ports?: { PublishedPort: number }[] }
  }
}

export type TaskState =
  | 'new'
  | 'pending'
  | 'assigned'
  | 'accepted'
  | 'preparing'
  | 'ready'
  | 'starting'
  | 'running'
  | 'complete'
  | 'shutdown'
  | 'failed'
  | 'rejected'
  | 'remove'
  | 'orphaned'

const ENDED = new Set<TaskState>([
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'remove',
  'orphaned',
])
const PLACED = new Set<TaskState>([
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
])

export function hasEnded({ Status }: Task): boolean {
  return ENDED.has(Status.State)
}

/** Whether the swarm ended the task, which did not end by itself. */
export function isWithdrawn({ Status }: Task): boolean {
  return Status.State === 'shutdown' || Status.State === 'remove' || Status.State === 'orphaned'
}

/** Whether a node may run it now. */
export function isPlaced({ Status }: Task): boolean {
  return PLACED.has(Status.State)
}

/** Returns the task that was created last, or null. */
export function latestOf(tasks: Task[]): Task | null {
  const [first, ...others] = tasks
  if (!first) return null
  return others.reduce((last, one) => (isLater(one, last) ? one : last), first)
}

function isLater(one: Task, other: Task): boolean {
  const starts = (one.Spec.ForceUpdate ?? 0) - (other.Spec.ForceUpdate ?? 0)
  return starts > 0 || (starts === 0 && one.CreatedAt > other.CreatedAt)
}

/** Whether the service is to run. */
export function isWanted({ Spec }: Service): boolean {
  return (Spec.Mode.Replicated?.Replicas ?? 0) > 0
}
