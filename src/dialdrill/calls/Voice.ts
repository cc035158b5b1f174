/**
 * The voice line of a call: the signed URL of a conversation with an ElevenLabs agent, or, typed, what the user gets
 * instead of it. Whatever is wrong with the voice service ends here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ElevenLabs } from "../../dependencies/ElevenLabs.js"
import { VoiceUnavailable, whyOf, type SimulatedLine } from "../Unavailable.js"
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

const make = Effect.gen(function* () {
  const elevenLabs = yield* ElevenLabs
  return Voice.of({
    line: elevenLabs.getSignedUrl.pipe(
      Effect.map((signedUrl): VoiceLine => ({ mode: "voice", signedUrl, degraded: [] })),
      Effect.mapError((error) => {
        const why = whyOf(error)
        const degraded: Degraded = { service: "elevenlabs", message, ...why.degraded }
        const fallback: SimulatedLine = { mode: "simulated", signedUrl: null, degraded: [degraded] }
        return new VoiceUnavailable({ service: "elevenlabs", message, ...why, fallback })
      })
    ),
    givenUp: { service: "elevenlabs", reason: "failing", message, retryAfterSeconds: null }
  })
})

export const layer: Layer.Layer<Voice, never, ElevenLabs> = Layer.effect(Voice, make)
