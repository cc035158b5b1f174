import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ClientAddress from "../../src/http/ClientAddress.js"
import { withApp } from "./support/TestApp.js"
import * as Wire from "./support/Wire.js"

describe("ClientAddress", () => {
  it("believes as many hops as are trusted, and nothing that a caller can write", () => {
    const peer = "10.0.0.1"
    const forged = "6.6.6.6, 198.51.100.7, 10.0.0.2"
    assert.strictEqual(ClientAddress.resolve(peer, forged, 0), peer)
    assert.strictEqual(ClientAddress.resolve(peer, forged, 1), "10.0.0.2")
    assert.strictEqual(ClientAddress.resolve(peer, forged, 2), "198.51.100.7")
    assert.strictEqual(ClientAddress.resolve(peer, undefined, 1), peer)
    // Shorter than our chain of proxies, or no address: nobody of ours wrote it.
    assert.strictEqual(ClientAddress.resolve(peer, "6.6.6.6", 2), peer)
    assert.strictEqual(ClientAddress.resolve(peer, "unknown", 1), peer)
    assert.strictEqual(ClientAddress.resolve(peer, "", 1), peer)
  })

  it("reads ports, brackets and mapped addresses", () => {
    assert.strictEqual(ClientAddress.resolve("::ffff:192.0.2.1", undefined, 0), "192.0.2.1")
    assert.strictEqual(ClientAddress.resolve("::1", "192.0.2.1:4711", 1), "192.0.2.1")
    assert.strictEqual(ClientAddress.resolve("::1", "[2001:db8::1]:4711", 1), "2001:db8::1")
    assert.strictEqual(ClientAddress.resolve("::1", "2001:db8::1", 1), "2001:db8::1")
  })

  it("takes the /64 of an IPv6 address for one client, however it is written", () => {
    assert.strictEqual(ClientAddress.network("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64")
    assert.strictEqual(ClientAddress.network("2001:0DB8:0000:0001::5"), "2001:db8:0:1::/64")
    assert.strictEqual(ClientAddress.network("::1"), "0:0:0:0::/64")
    assert.strictEqual(ClientAddress.network("fe80::1%eth0"), "fe80:0:0:0::/64")
    assert.strictEqual(ClientAddress.network("192.0.2.1"), "192.0.2.1")
  })

  for (const [hops, expected] of [
    [0, "127.0.0.1"],
    [1, "198.51.100.7"],
    [2, "6.6.6.6"]
  ] as const) {
    it.live(`sees ${expected} through ${hops} trusted hops`, () =>
      withApp(
        (app) =>
          Effect.map(
            Wire.send(`${app.url}/who`, { headers: { "x-forwarded-for": "6.6.6.6, 198.51.100.7" } }),
            (reply) => {
              assert.strictEqual(reply.json["clientAddress"], expected)
            }
          ),
        { envelope: { trustedProxyHops: hops } }
      )
    )
  }
})
