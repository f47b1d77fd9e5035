/** Responses about things of other installations: that they exist, and nothing else. */
import type { FoundContainer, FoundNetwork, FoundVolume } from '#socket_proxy/belongings'

/** Shows only that the name is taken. */
export function foreignContainer({ Id, Name, State }: FoundContainer) {
  const { Status, Running } = State ?? {}
  return {
    Id,
    Name,
    State: { Status, Running },
    Config: { Labels: {} },
    HostConfig: {},
    NetworkSettings: { Networks: {} },
    Mounts: [],
  }
}

/** The caller's own container, without its environment, which holds Mosaic's keys. */
export function serverContainer({ Config, ...found }: FoundContainer) {
  return { ...found, Config: { ...Config, Env: [] } }
}

export function foreignVolume({ Name }: FoundVolume) {
  return { Name, Driver: 'local', Mountpoint: '', Labels: {}, Scope: 'local' }
}

type NetworkWithRanges = FoundNetwork & {
  IPAM?: { Config?: { Subnet?: string }[] | null }
}

/** Includes its ranges: agents' networks must not overlap them. */
export function foreignNetwork({ Id, Name, IPAM }: NetworkWithRanges) {
  const Config = (IPAM?.Config ?? []).map(({ Subnet }) => ({ Subnet }))
  return { Id, Name, Labels: {}, IPAM: { Config }, Containers: {} }
}
