/** Loopback addresses that no other program uses, so that clusters side by side never collide. */

let taken = 0

/**
 * One address for each node, all from 127.128.0.0/9 and told apart by process id and a counter.
 * Linux answers on the whole of 127/8; elsewhere an address has to be configured first.
 */
export function loopbackHosts(count: number): string[] {
  return Array.from({ length: count }, () => {
    const n = process.pid * 61 + taken
    taken += 1
    // The last part is 1 to 254, the one before 0 to 255, the second 128 to 254.
    return `127.${128 + (Math.floor(n / (254 * 256)) % 127)}.${Math.floor(n / 254) % 256}.${1 + (n % 254)}`
  })
}
