/** What is told of things that are not of this installation: that they are there, and nothing of them. */
import type { FoundContainer, FoundNetwork, FoundVolume } from '#socket_proxy/belongings'

/** The name is taken, and that is all. */
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

/** The caller's own container, without its environment: Mosaic knows its keys, and nobody else should. */
export function serverContainer({ Config, ...found }: FoundContainer) {
  return { ...found, Config: { ...Config, Env: [] } }
}

export function foreignVolume({ Name }: FoundVolume) {
  return { Name, Driver: 'local', Mountpoint: '', Labels: {}, Scope: 'local' }
}

type NetworkWithRanges = FoundNetwork & {
  IPAM?: { Config?: { Subnet?: string }[] | null }
}

/** With its ranges: networks of agents must not lie in them. */
export function foreignNetwork({ Id, Name, IPAM }: NetworkWithRanges) {
  const Config = (IPAM?.Config ?? []).map(({ Subnet }) => ({ Subnet }))
  return { Id, Name, Labels: {}, IPAM: { Config }, Containers: {} }
}
