/**
 * Who is calling, by address, when some of the addresses in between are our own proxies and the rest of what
 * `X-Forwarded-For` says may have been written by the caller.
 *
 * @since 0.1.0
 */
import { isIP, isIPv4 } from "node:net"

/**
 * The address of the client, seen through `hops` trusted proxies.
 *
 * Each proxy appends the address it was called from, so with `hops` proxies the entry that many places from the right
 * is the last one a caller cannot write. A list shorter than that did not come through our proxies, and an entry that is
 * no address was not written by one: then only the peer of the connection is believed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (peer: string | undefined, forwardedFor: string | undefined, hops: number): string => {
  const nearest = plain(peer ?? "")
  if (hops <= 0 || forwardedFor === undefined) return nearest
  const entries = forwardedFor.split(",")
  const entry = entries[entries.length - hops]
  if (entry === undefined) return nearest
  const address = plain(withoutPort(entry.trim()))
  return isIP(address) === 0 ? nearest : address
}

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, because every customer of a provider has
 * that many addresses to choose from.
 *
 * @since 0.1.0
 * @category accessors
 */
export const network = (address: string): string => {
  if (isIP(address) !== 6) return address
  const [head = "", tail] = address.split("%")[0]!.split("::")
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: gap }, () => "0"), ...right]
  const prefix = groups.slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ""))
  return `${prefix.join(":")}::/64`
}

// A dual-stack listener shows an IPv4 caller as ::ffff:192.0.2.1.
const plain = (address: string): string => {
  const mapped = address.startsWith("::ffff:") ? address.slice(7) : address
  return isIPv4(mapped) ? mapped : address
}

// Some proxies write 192.0.2.1:4711 or [2001:db8::1]:4711.
const withoutPort = (entry: string): string => {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)
  if (bracketed !== null) return bracketed[1]!
  const v4 = /^([\d.]+):\d+$/.exec(entry)
  return v4 === null ? entry : v4[1]!
}
