export function installPinned(
  pin: string,
  folder: string,
  report?: (share: number) => void
): Promise<'installed' | 'present'>
