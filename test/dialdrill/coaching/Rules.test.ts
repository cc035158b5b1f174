import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { lessons } from "../../../src/dialdrill/coaching/Lessons.js"
import { coach, improve } from "../../../src/dialdrill/coaching/Rules.js"
import { Coaching } from "../../../src/dialdrill/coaching/Wire.js"
import { assess, rubric } from "../../../src/dialdrill/scoring/Scoring.js"
import type { PracticeCall, Turn } from "../../../src/dialdrill/scoring/Transcript.js"
import { fixtures } from "../scoring/fixtures.js"

const model = fixtures[0]!.call

/** The good call, spoilt in one category only. */
const spoilt: Readonly<Record<string, PracticeCall>> = {
  opening: { transcript: [{ role: "user", text: "So, insurance software, yes." }, ...model.transcript.slice(3)] },
  discovery: fixtures[0]!.withoutDiscovery,
  objections: {
    transcript: model.transcript.map((turn): Turn => {
      if (turn.text.startsWith("I hear you")) return { role: "user", text: "It's really not that expensive at all." }
      return turn.text.startsWith("That's fair. It is")
        ? { role: "user", text: "You need to see what you get for it." }
        : turn
    })
  },
  clarity: {
    transcript: model.transcript.map((turn): Turn =>
      turn.role === "user"
        ? { ...turn, text: turn.text.replaceAll(". ", ". Um, you know, basically, maybe, I mean, like, sort of, ") }
        : turn
    )
  },
  closing: { transcript: model.transcript.slice(0, -6) }
}

describe("coaching by rules", () => {
  it("speaks about the category that is weak", () => {
    for (const [category, call] of Object.entries(spoilt)) {
      const improvements = improve(assess(call))
      assert.isAbove(improvements.length, 0, category)
      for (const one of improvements) assert.strictEqual(one.category, category)
    }
  })

  it("gives no improvement, and no phrase, to two calls that are weak in different categories", () => {
    const advice = Object.values(spoilt).map(coach)
    for (const [index, one] of advice.entries()) {
      for (const other of advice.slice(index + 1)) {
        for (const list of ["improvements", "suggestedPhrases"] as const) {
          assert.deepStrictEqual(
            one[list].filter((line) => other[list].includes(line)),
            []
          )
        }
      }
    }
  })

  it("quotes the rep's own words in each improvement and says what to say instead", () => {
    for (const { call, name } of fixtures) {
      const improvements = improve(assess(call))
      const rendered = coach(call).improvements
      assert.isTrue(improvements.length > 0 && improvements.length <= 4, name)
      for (const [index, { heard, instead, quote, turn, why }] of improvements.entries()) {
        const said = call.transcript[turn]
        assert.isTrue(said?.role === "user" && quote.length > 0 && said.text.includes(quote), quote)
        assert.isTrue(instead.length >= 10 && instead !== quote, instead)
        for (const part of [why, quote, instead, heard ?? ""]) assert.include(rendered[index], part)
        if (heard !== undefined) {
          assert.isTrue(
            call.transcript.some(({ role, text }) => role === "agent" && text.includes(heard)),
            heard
          )
        }
      }
      assert.strictEqual(new Set(improvements.map(({ signal }) => signal)).size, improvements.length)
    }
  })

  it("answers an objection by its kind", () => {
    const objections = improve(assess(spoilt["objections"]!))
    const explore = objections.find(({ signal }) => signal === "exploring")
    assert.include(explore?.heard, "too expensive")
    assert.strictEqual(explore?.instead, "When you say expensive, what are you comparing it with?")
  })

  it("takes the fillers out of the rep's own sentence, and gives the prospect's own words back", () => {
    const call: PracticeCall = {
      transcript: [
        {
          role: "user",
          text: "Hi Ann, this is Joe from Acme. I'm calling because we help bakers save flour. Is now a good time?"
        },
        { role: "agent", text: "Sure. We lose a sack of flour every day." },
        {
          role: "user",
          text: "Um, so, our scale is, you know, basically on the line, and it, like, weighs every loaf."
        },
        { role: "agent", text: "Okay." },
        { role: "user", text: "Um, yeah, and, uh, it is basically the best one, I mean, you know, of all of them." }
      ]
    }
    const { findings, reading } = assess(call)
    const say = (name: keyof typeof lessons): string => {
      const finding = findings.flatMap(({ findings }) => findings).find(({ signal }) => signal.name === name)!
      const place = lessons[name].where({ reading, finding })[0]!
      const { say } = lessons[name]
      return typeof say === "string" ? say : say({ reading, finding }, place)
    }
    assert.strictEqual(say("fluency"), "Our scale is on the line, and it weighs every loaf.")
    assert.include(say("painQuestions"), "We lose a sack of flour every day")
  })

  it("praises what was good with the words that show it", () => {
    const { strengths } = coach(model)
    assert.lengthOf(strengths, 3)
    assert.isTrue(strengths.some((line) => line.includes("“How do you handle appointment reminders today?”")))
  })

  it("tells a rep who said nothing how to begin", () => {
    for (const transcript of [[], [{ role: "user", text: "Hello" }]] satisfies ReadonlyArray<ReadonlyArray<Turn>>) {
      const { improvements, recommendedPractice, strengths } = coach({ transcript })
      assert.deepStrictEqual([strengths, improvements], [[], []])
      assert.lengthOf(recommendedPractice, 1)
      assert.match(recommendedPractice[0] ?? "", /Nothing to score.*Start a call/)
    }
    assert.isAbove(coach({ transcript: [] }).suggestedPhrases.length, 0)
  })

  it("recommends one to three things to practise, and says when a figure is only estimated", () => {
    for (const { call } of fixtures) {
      const { recommendedPractice } = coach(call)
      assert.isTrue(recommendedPractice.length >= 1 && recommendedPractice.length <= 3)
    }
    const talker = coach(fixtures.find(({ name }) => name.startsWith("insurance"))!.call).recommendedPractice
    assert.isTrue(
      talker.some((line) => /had 8\d.* % of the talk.*\(estimated\)/.test(line)),
      talker.join("\n")
    )
  })

  it("is the same every time and fits the wire form", () => {
    for (const { call } of fixtures) {
      const advice = coach(call)
      assert.deepStrictEqual(coach(structuredClone(call)), advice)
      const answer = { source: "rules" as const, pending: false, ...advice, degraded: [] }
      assert.deepStrictEqual(Schema.decodeUnknownSync(Coaching)(JSON.parse(JSON.stringify(answer))), answer)
    }
  })

  it("has a lesson whose phrases no other signal shares, for every signal", () => {
    const phrases = Object.values(lessons).flatMap(({ phrases }) => phrases)
    assert.strictEqual(new Set(phrases).size, phrases.length)
    assert.sameMembers(
      Object.keys(lessons),
      rubric.flatMap(({ signals }) => signals.map(({ name }) => name as string))
    )
  })
})
