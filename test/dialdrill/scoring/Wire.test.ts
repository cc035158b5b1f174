import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { metricNames } from "../../../src/dialdrill/scoring/Analytics.js"
import { review, type Review } from "../../../src/dialdrill/scoring/Review.js"
import {
  Analytics,
  maxTranscriptCharacters,
  maxTurnCharacters,
  maxTurns,
  ScoreAnswer,
  ScoreRequest
} from "../../../src/dialdrill/scoring/Wire.js"
import { fixtures } from "./fixtures.js"

const accepts = (body: unknown): boolean => Either.isRight(Schema.decodeUnknownEither(ScoreRequest)(body))
const turn = (text: string, rest: object = {}) => ({ role: "user", text, ...rest })

describe("the wire form of a score", () => {
  it("carries every review unchanged", () => {
    for (const { call } of fixtures) {
      const answer: Review = review(Schema.decodeUnknownSync(ScoreRequest)(JSON.parse(JSON.stringify(call))))
      const encoded: typeof ScoreAnswer.Encoded = Schema.encodeSync(ScoreAnswer)(answer)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(encoded)), JSON.parse(JSON.stringify(answer)))
    }
  })

  it("names the thirteen metrics in the order of the table", () => {
    assert.deepStrictEqual(Object.keys(Analytics.fields), [...metricNames])
  })

  it("lets in an empty transcript, times and flags", () => {
    assert.isTrue(accepts({ transcript: [] }))
    assert.isTrue(
      accepts({ transcript: [turn("hi", { startSeconds: 0, endSeconds: 1.5, interrupted: true })], durationSeconds: 9 })
    )
  })

  it("keeps out what is not a transcript, impossible times, and more than can be a call", () => {
    const bad: ReadonlyArray<unknown> = [
      {},
      { transcript: "hello" },
      { transcript: [{ role: "rep", text: "hi" }] },
      { transcript: [turn("hi", { startSeconds: -1 })] },
      { transcript: [turn("hi", { endSeconds: Infinity })] },
      { transcript: [], durationSeconds: 1e9 },
      { transcript: Array.from({ length: maxTurns + 1 }, () => turn("hi")) },
      { transcript: [turn("a".repeat(maxTurnCharacters + 1))] },
      {
        transcript: Array.from({ length: maxTranscriptCharacters / maxTurnCharacters + 1 }, () =>
          turn("a".repeat(maxTurnCharacters))
        )
      }
    ]
    for (const body of bad) assert.isFalse(accepts(body), JSON.stringify(body).slice(0, 80))
    assert.isTrue(accepts({ transcript: Array.from({ length: maxTurns }, () => turn("hi")) }))
  })
})
