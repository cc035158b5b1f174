/**
 * Tells an operator's webhook when the status of the whole changes and when a circuit opens or closes.
 *
 * One message a change: what flaps within the minimum interval is told once, in its last state, and a change that undid
 * itself in that time is not told at all. What waits to be told is one state a subject, and one fibre of its own sends it,
 * each attempt with a timeout: a webhook that hangs holds up nothing and piles up nothing. With a secret, messages are signed in the way of
 * Stripe: `X-DialDrill-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`.
 *
 * @since 0.1.0
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createHmac, randomUUID } from "node:crypto"
import * as MonotonicClock from "../resilience/MonotonicClock.js"
import * as Waiting from "../resilience/Waiting.js"
import * as Redaction from "../telemetry/Redaction.js"
import * as AlertBook from "./AlertBook.js"
import { HealthMonitor } from "./HealthMonitor.js"

/**
 * What is sent, as JSON. `id` is the same in every attempt; `text` and `content` repeat the message in the fields that
 * chat services read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Message extends AlertBook.Alert {
  readonly id: string
  readonly timestamp: string
  readonly text: string
  readonly content: string
}

/**
 * A transition of a circuit breaker, as `CircuitBreaker.changes` tells it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CircuitTransition {
  readonly name: string
  readonly from: "closed" | "open" | "half-open"
  readonly to: "closed" | "open" | "half-open"
  readonly reason?: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface AlertsShape {
  /** Alerts on the opening and closing of a circuit for as long as the scope is open. */
  readonly watch: (changes: Stream.Stream<CircuitTransition>) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * @since 0.1.0
 * @category services
 */
export class Alerts extends Context.Tag("@dialdrill/selfheal/Alerts")<Alerts, AlertsShape>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface AlertsOptions {
  /** Where to post. Redacted, as the addresses of chat webhooks are secrets themselves. */
  readonly url: Redacted.Redacted<string>
  /** Signs the messages. Unsigned without it. */
  readonly secret?: Redacted.Redacted<string> | undefined
  /** Shortest time between two messages about the same subject. Default 1 minute. */
  readonly minInterval?: Duration.DurationInput | undefined
  /** How long one attempt may take. Default 5 seconds. There are three, 1 and 2 seconds apart. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: AlertsOptions
): Effect.Effect<AlertsShape, never, HealthMonitor | HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const monitor = yield* HealthMonitor
    // A scope for each attempt: whatever the webhook answers, its socket is not held until somebody reads it.
    const client = HttpClient.withScope(HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false))
    const minInterval = Duration.toMillis(options.minInterval ?? "1 minute")
    const timeout = options.timeout ?? Duration.seconds(5)
    const book = yield* Ref.make(AlertBook.empty)
    // Only says "look again", so one signal is as good as many, and one lost to a race is no loss.
    const wake = yield* Queue.sliding<void>(1)

    const attempt = (body: string) =>
      Effect.gen(function* () {
        const request = HttpClientRequest.post(Redacted.value(options.url), {
          body: HttpBody.text(body, "application/json"),
          headers: { "user-agent": "dialdrill", ...(yield* signature(options.secret, body)) }
        })
        const response = yield* client.execute(request)
        if (response.status >= 300) yield* new Undelivered({ status: response.status })
      }).pipe(
        Effect.scoped,
        Effect.timeoutFail({ duration: timeout, onTimeout: () => new Undelivered({ status: undefined }) })
      )

    const send = (alert: AlertBook.Alert) =>
      Effect.gen(function* () {
        const timestamp = new Date(yield* Clock.currentTimeMillis).toISOString()
        const id = yield* Effect.sync(randomUUID)
        const message: Message = { id, ...alert, timestamp, text: alert.message, content: alert.message }
        yield* Effect.retry(attempt(JSON.stringify(message)), backoff)
      }).pipe(
        Effect.catchAllCause((cause) =>
          Effect.logWarning(`an alert about ${alert.subject} was not delivered: ${whyNot(cause)}`)
        )
      )

    const deliver = Effect.gen(function* () {
      const now = yield* MonotonicClock.now
      const due = yield* Ref.modify(book, (current) => AlertBook.takeDue(current, minInterval, now))
      yield* Effect.forEach(due, send, { discard: true })
      const wait = AlertBook.nextDue(yield* Ref.get(book), minInterval, yield* MonotonicClock.now)
      yield* wait === undefined ? Queue.take(wake) : Waiting.first(Queue.take(wake), Waiting.sleep(wait))
    })

    const report = (alert: AlertBook.Alert) =>
      Effect.zipRight(
        Ref.update(book, (current) => AlertBook.note(current, alert)),
        Queue.offer(wake, undefined)
      )

    yield* Effect.forkScoped(Effect.forever(deliver))
    yield* Stream.fromQueue(yield* monitor.subscribe).pipe(
      Stream.filter((change) => change._tag === "StatusChanged"),
      Stream.runForEach((change) =>
        Effect.flatMap(monitor.getHealthStatus, ({ checks }) => report(AlertBook.ofStatus(change, checks)))
      ),
      Effect.forkScoped
    )

    return {
      watch: (changes) =>
        changes.pipe(
          Stream.runForEach((transition) =>
            Option.match(AlertBook.ofCircuit(transition), { onNone: () => Effect.void, onSome: report })
          ),
          Effect.forkScoped,
          Effect.asVoid
        )
    }
  })

/**
 * Alerts to a webhook.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: AlertsOptions): Layer.Layer<Alerts, never, HealthMonitor | HttpClient.HttpClient> =>
  Layer.scoped(Alerts, make(options))

/**
 * Alerts to `ALERT_WEBHOOK_URL`, signed with `ALERT_WEBHOOK_SECRET`; nobody is alerted without the first.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Alerts, ConfigError.ConfigError, HealthMonitor | HttpClient.HttpClient> =
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const url = yield* Config.option(Config.validate(Config.redacted("ALERT_WEBHOOK_URL"), isWebAddress))
      const secret = yield* Config.option(Config.redacted("ALERT_WEBHOOK_SECRET"))
      return Option.match(url, {
        onNone: () => layerNone,
        onSome: (url) => layerWith({ url, secret: Option.getOrUndefined(secret) })
      })
    })
  )

/**
 * Alerts nobody: what an application without a webhook uses.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNone: Layer.Layer<Alerts> = Layer.succeed(Alerts, { watch: () => Effect.void })

const isWebAddress = {
  message: "ALERT_WEBHOOK_URL must be a web address, as in https://hooks.example.com/dialdrill",
  validation: (url: Redacted.Redacted<string>) =>
    URL.canParse(Redacted.value(url)) && /^https?:$/.test(new URL(Redacted.value(url)).protocol)
}

class Undelivered extends Data.TaggedError("Undelivered")<{ readonly status: number | undefined }> {
  override get message(): string {
    return this.status === undefined ? "the webhook did not answer in time" : `the webhook answered ${this.status}`
  }
}

// The client's own message holds the whole address, and in that of a chat webhook the path is the secret.
const whyNot = (cause: Cause.Cause<unknown>): string => {
  const error = Redaction.squash(cause)
  return error instanceof Undelivered
    ? error.message
    : `the webhook could not be reached (${Redaction.describe(error).code ?? "unknown"})`
}

const backoff = { schedule: Schedule.exponential("1 second"), times: 2 }

const signature = (secret: Redacted.Redacted<string> | undefined, body: string) =>
  Effect.map(Clock.currentTimeMillis, (now): Record<string, string> => {
    if (secret === undefined) return {}
    const seconds = Math.floor(now / 1000)
    const digest = createHmac("sha256", Redacted.value(secret)).update(`${seconds}.${body}`).digest("hex")
    return { "x-dialdrill-signature": `t=${seconds},v1=${digest}` }
  })
