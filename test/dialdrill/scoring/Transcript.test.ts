import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { anyOf } from "../../../src/dialdrill/scoring/Phrases.js"
import { countWords, maxSentenceCharacters, quoteOf, sentencesOf } from "../../../src/dialdrill/scoring/Transcript.js"

const isWellFormed = (text: string): boolean => Buffer.from(text, "utf8").toString("utf8") === text
const sentences = (text: string) => sentencesOf({ role: "user", text }, 3)

describe("a turn in sentences", () => {
  it("is cut after full stops, question marks and at line breaks, but not inside numbers", () => {
    assert.deepStrictEqual(
      sentences('  It costs $3.50 today. "Really?" Yes!\nFine… then  ').map(({ text }) => text),
      ["It costs $3.50 today.", '"Really?"', "Yes!", "Fine…", "then"]
    )
  })

  it("carries the turn's index and role, counts words, and matches with straight apostrophes", () => {
    assert.deepStrictEqual(sentences("That’s a follow-up."), [
      { turn: 3, role: "user", text: "That’s a follow-up.", plain: "That's a follow-up.", words: 3 }
    ])
  })

  it("leaves out what has no words", () => {
    assert.deepStrictEqual(sentences("... 😀 ?!"), [])
  })

  it("consists of verbatim parts of bounded length, in order, that hold every word", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.fullUnicodeString({ maxLength: 2_000 }), (text) => {
        let from = 0
        for (const sentence of sentences(text)) {
          const at = text.indexOf(sentence.text, from)
          if (at < 0 || sentence.text.length > maxSentenceCharacters) return false
          from = at + sentence.text.length
        }
        return true
      })
    )
    const long = Array.from({ length: 300 }, (_, index) => `word${index}`).join(" ")
    assert.strictEqual(
      sentences(long)
        .map(({ text }) => text)
        .join(" "),
      long
    )
  })

  it("is never cut inside a character of two units", () => {
    const text = `a${"𝒳".repeat(900)}`
    for (const sentence of sentences(text)) assert.isTrue(isWellFormed(sentence.text))
    assert.strictEqual(quoteOf(sentences(text)[0]!, 10).quote, `a${"𝒳".repeat(4)}`)
  })
})

describe("words", () => {
  it("are runs of letters and digits, with apostrophes and hyphens inside", () => {
    assert.strictEqual(countWords("Don't follow-up at 10, naïve Zoë — 😀 ok?"), 7)
    assert.strictEqual(countWords(""), 0)
  })
})

describe("phrases", () => {
  it("match whole words in any case, over any blank space, and over a gap in one sentence", () => {
    const phrases = anyOf("send … invite", "hi")
    assert.isTrue(phrases.test("I'll SEND you the\n invite"))
    assert.isTrue(phrases.test("send invite"))
    assert.isTrue(phrases.test("Hi!"))
    assert.isFalse(phrases.test("this chill resend invite"))
    assert.isFalse(phrases.test("send it? The invite"))
    assert.isFalse(phrases.test(`send ${"very ".repeat(20)} invite`))
  })
})
