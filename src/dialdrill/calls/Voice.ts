/**
 * The voice line of a call: the signed URL of a conversation with an ElevenLabs agent, or, typed, what the user gets
 * instead of it. Whatever is wrong with the voice service ends here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ElevenLabs } from "../../dependencies/ElevenLabs.js"
import { mapErrorEffect, VoiceUnavailable, whyOf, type Why } from "../Unavailable.js"
import type { Degraded } from "../Wire.js"

export interface VoiceLine {
  readonly mode: "voice"
  readonly signedUrl: string
  readonly degraded: ReadonlyArray<Degraded>
}

export interface VoiceShape {
  readonly line: Effect.Effect<VoiceLine, VoiceUnavailable>
  /** What a call lacks that began as a voice call and goes on in simulated mode. */
  readonly givenUp: Degraded
}

export class Voice extends Context.Tag("@dialdrill/selfheal/dialdrill/Voice")<Voice, VoiceShape>() {}

/** In the owner's words. */
const message = "Using simulated mode"

const unavailable = ({ degraded, reason, retryAfter }: Why): VoiceUnavailable =>
  new VoiceUnavailable({
    service: "elevenlabs",
    reason,
    retryAfter,
    message,
    fallback: { mode: "simulated", signedUrl: null, degraded: [{ service: "elevenlabs", message, ...degraded }] }
  })

const make = Effect.gen(function* () {
  const { dependency, getSignedUrl } = yield* ElevenLabs
  return Voice.of({
    line: getSignedUrl.pipe(
      Effect.map((signedUrl): VoiceLine => ({ mode: "voice", signedUrl, degraded: [] })),
      (line) => mapErrorEffect(line, (error) => Effect.map(whyOf(dependency, error), unavailable)),
      Effect.tapError(() => dependency.fellBack("simulated"))
    ),
    givenUp: { service: "elevenlabs", reason: "failing", message, retryAfterSeconds: null }
  })
})

export const layer: Layer.Layer<Voice, never, ElevenLabs> = Layer.effect(Voice, make)
