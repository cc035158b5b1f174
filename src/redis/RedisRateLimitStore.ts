/**
 * Keeps what each client has used in Redis, so that a fleet counts as one. A request is judged and entered in one
 * script, on one key (which works in a cluster), by Redis's own clock (the clocks of a fleet differ); a key expires by
 * itself as soon as its client has its whole limit back.
 *
 * While Redis is down or does not answer the store fails fast, and the limiter does what it was told to do then.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Redis } from "ioredis"
import * as Gcra from "../resilience/kernel/Gcra.js"
import * as RateLimitStore from "../resilience/RateLimitStore.js"
import { RedisConnection } from "./RedisConnection.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<RateLimitStore.RateLimitStoreShape, never, RedisConnection> = Effect.map(
  RedisConnection,
  (redis) => ({
    open: ({ limits, name }) => {
      const prefix = `selfheal:limit:${name}:${limits.map(({ limit, windowMillis }) => `${limit}/${windowMillis}`).join("+")}:`
      const parameters = limits.flatMap(({ emission, scale, tolerance }) => [scale, emission, tolerance])
      const spend: RateLimitStore.RateLimitBook["spend"] = (key, cost) => {
        return redis
          .run("check a rate limit", (client) => evaluate(client, prefix + key, [cost, ...parameters]))
          .pipe(
            Effect.mapError((cause) => new RateLimitStore.RateLimitStoreError({ reason: cause.message, cause })),
            Effect.flatMap((reply) => {
              const [now, ...tats] = numbersOf(reply)
              return now === undefined || tats.length !== limits.length
                ? new RateLimitStore.RateLimitStoreError({
                    reason: "Redis gave an answer of another shape",
                    cause: reply
                  })
                : // The script decided by the same whole numbers; this only words its decision.
                  Effect.succeed(Gcra.decide(limits, tats, now, cost)[0])
            })
          )
      }
      return Effect.succeed({ spend, clients: Effect.succeed(undefined) })
    }
  })
)

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<RateLimitStore.RateLimitStore, never, RedisConnection> = Layer.effect(
  RateLimitStore.RateLimitStore,
  make
)

/**
 * `Gcra.decide` for Redis: answers with its time and the client's TATs before this request, and enters the request when
 * every limit allows it.
 *
 * Times count from 2020, not from 1970, to keep products with the scale of a limit within the whole numbers of a double;
 * they are printed by `format`, because Lua's own conversion keeps only 14 digits.
 */
const script = `
local time = redis.call("TIME")
local now = (time[1] - 1577836800) * 1000 + math.floor(time[2] / 1000)
local stored = {}
for tat in string.gmatch(redis.call("GET", KEYS[1]) or "", "%S+") do
  stored[#stored + 1] = tonumber(tat)
end
local reply = { string.format("%.0f", now) }
local entry = {}
local expiry = now
local allowed = true
for i = 1, (#ARGV - 1) / 3 do
  local scale = tonumber(ARGV[3 * i - 1])
  local emission = tonumber(ARGV[3 * i])
  local tolerance = tonumber(ARGV[3 * i + 1])
  local at = now * scale
  local before = math.min(math.max(stored[i] or at, at), at + tolerance)
  local after = before + ARGV[1] * emission
  allowed = allowed and after - at <= tolerance
  expiry = math.max(expiry, math.ceil(after / scale))
  reply[i + 1] = string.format("%.0f", before)
  entry[i] = string.format("%.0f", after)
end
if allowed then
  redis.call("SET", KEYS[1], table.concat(entry, " "), "PX", string.format("%.0f", expiry - now))
end
return reply
`
const scriptHash = createHash("sha1").update(script).digest("hex")

/** Redis knows a script by its hash until it restarts; then it has to be told the text once more. */
const evaluate = (client: Redis, key: string, parameters: ReadonlyArray<number>): Promise<unknown> =>
  client.evalsha(scriptHash, 1, key, ...parameters).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith("NOSCRIPT"))
      return client.eval(script, 1, key, ...parameters)
    throw error
  })

const numbersOf = (reply: unknown): ReadonlyArray<number> => {
  const numbers = Array.isArray(reply) ? reply.map(Number) : []
  return numbers.every(Number.isSafeInteger) ? numbers : []
}
