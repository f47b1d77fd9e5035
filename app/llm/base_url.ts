/** A base address without the slashes at its end, in time linear in its length. */
export function withoutEndingSlashes(address: string): string {
  let end = address.length
  while (address[end - 1] === '/') end--
  return address.slice(0, end)
}
