import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { analyze } from "../../../src/dialdrill/scoring/Analytics.js"
import { review } from "../../../src/dialdrill/scoring/Review.js"
import { assess, rubric, score, type Score } from "../../../src/dialdrill/scoring/Scoring.js"
import type { PracticeCall, Turn } from "../../../src/dialdrill/scoring/Transcript.js"
import { fixtures, turns } from "./fixtures.js"

const of = (scored: Score, category: string): number =>
  scored.categories.find((one) => one.category === category)?.score ?? Number.NaN

const isVerbatim = ({ transcript }: PracticeCall, { categories }: Score): boolean =>
  categories.every(({ evidence }) =>
    evidence.every(({ quote, turn }) => quote.length > 0 && transcript[turn]?.text.includes(quote) === true)
  )

/** Any transcript that can be put together from the fixtures' turns and their halves, with noise between. */
const transcripts: FastCheck.Arbitrary<ReadonlyArray<Turn>> = FastCheck.array(
  FastCheck.record({
    role: FastCheck.constantFrom("user" as const, "agent" as const),
    text: FastCheck.array(
      FastCheck.oneof(
        {
          weight: 6,
          arbitrary: FastCheck.constantFrom(...fixtures.flatMap(({ call }) => call.transcript.map(({ text }) => text)))
        },
        { weight: 1, arbitrary: FastCheck.fullUnicodeString({ maxLength: 500 }) },
        { weight: 1, arbitrary: FastCheck.constantFrom("", " ", "\n\n", "🤷🏽‍♀️", "\ud83d", "What’s that?", "?!…") }
      ),
      { maxLength: 4 }
    ).chain((parts) => FastCheck.constantFrom(" ", "", "\n").map((glue) => parts.join(glue)))
  }),
  { maxLength: 30 }
)

describe("the score of a call", () => {
  it("has five categories, whose weighted mean is the overall score, all from 0 to 10 with one decimal", () => {
    for (const { call } of fixtures) {
      const { categories, overall } = score(call)
      assert.deepStrictEqual(
        categories.map(({ category, weight }) => [category, weight]),
        [
          ["opening", 1],
          ["discovery", 1.5],
          ["objections", 2],
          ["clarity", 1],
          ["closing", 1.5]
        ]
      )
      const mean = categories.reduce((sum, { score, weight }) => sum + score * weight, 0) / 7
      assert.strictEqual(overall, Math.round(mean * 10) / 10)
      for (const value of [overall, ...categories.map(({ score }) => score)]) {
        assert.isTrue(value >= 0 && value <= 10 && Math.round(value * 10) / 10 === value, String(value))
      }
    }
  })

  it("is at least 7 for good calls, at most 4 for bad ones, and between for the rest, in a coach's order", () => {
    const overall = fixtures.map(({ call, label }) => ({ label, overall: score(call).overall }))
    for (const one of overall) {
      const [from, to] = { good: [7, 10], middling: [4.1, 6.9], bad: [0, 4] }[one.label] ?? []
      assert.isTrue(one.overall >= from! && one.overall <= to!, `${one.label}: ${one.overall}`)
    }
    const ranked = [...overall].sort((a, b) => b.overall - a.overall)
    assert.deepStrictEqual(overall, ranked)
  })

  it("loses in discovery, and by no more than 1 elsewhere, when the discovery questions are taken out", () => {
    for (const { call, label, withoutDiscovery, withoutDiscoveryQuestions } of fixtures) {
      if (label !== "good") continue
      const whole = score(call)
      for (const less of [withoutDiscovery, withoutDiscoveryQuestions]) {
        const scored = score(less)
        assert.isBelow(of(scored, "discovery"), of(whole, "discovery") - 2)
        for (const category of ["opening", "objections", "clarity", "closing"]) {
          assert.closeTo(of(scored, category), of(whole, category), 1, category)
        }
      }
    }
  })

  it("loses in closing alone when the end is cut off, and in opening alone when the beginning is", () => {
    const call = fixtures[0]!.call
    const whole = score(call)
    const headless = score({ transcript: [{ role: "user", text: "Okay." }, ...call.transcript.slice(4)] })
    const endless = score({ transcript: call.transcript.slice(0, -6) })
    assert.isBelow(of(endless, "closing"), of(whole, "closing") - 4)
    assert.closeTo(of(endless, "opening"), of(whole, "opening"), 0.1)
    assert.isBelow(of(headless, "opening"), of(whole, "opening") - 4)
    assert.closeTo(of(headless, "closing"), of(whole, "closing"), 0.1)
  })

  const nothing: ReadonlyArray<readonly [string, ReadonlyArray<Turn>, RegExp]> = [
    ["an empty transcript", [], /transcript is empty/],
    ["a transcript of blanks", [{ role: "user", text: " \n " }], /not say a word/],
    ["a rep who is silent", [{ role: "agent", text: "Hello? Is anybody there on the line?" }], /not say a word/],
    ["one word", [{ role: "user", text: "Hello." }], /said one word/],
    ["three words", [{ role: "user", text: "Hello there, Sam" }], /said 3 words/],
    ["emoji", [{ role: "user", text: "😀 😀 😀 😀 😀 😀 😀 😀 😀 😀" }], /not say a word/],
    [
      "another language",
      [
        {
          role: "user",
          text: "Guten Tag, Herr Weber, ich rufe Sie wegen Ihrer Anfrage vom letzten Dienstag noch einmal zurück."
        }
      ],
      /English only/
    ],
    ["one word over and over", [{ role: "user", text: "buy ".repeat(200) }], /English only/]
  ]
  for (const [what, transcript, reason] of nothing) {
    it(`is 0 everywhere for ${what}, and says why`, () => {
      const { categories, overall } = score({ transcript })
      assert.strictEqual(overall, 0)
      for (const { evidence, feedback, score } of categories) {
        assert.strictEqual(score, 0)
        assert.deepStrictEqual(evidence, [])
        assert.match(feedback, reason)
      }
    })
  }

  it("is neither good nor bad in objections when none came up, and 0 when there was no chance for one", () => {
    const talk = score({
      transcript: turns(`
        R: Hi Ann, this is Joe from Acme, I'm calling because we help bakeries save flour.
        P: Oh nice, we bake about four hundred loaves a day here, and flour is by far what we buy most of.
        R: How do you measure what is left over at the end of the day?
        P: With a scale, mostly, and then my husband writes it down.
      `)
    })
    const speech = score({
      transcript: [{ role: "user", text: "Hi, this is Joe from Acme and I would like to tell you all about it." }]
    })
    assert.strictEqual(of(talk, "objections"), 5)
    assert.match(talk.categories[2]!.feedback, /No objection came up/)
    assert.strictEqual(of(speech, "objections"), 0)
  })

  it("gives feedback on every category of every call", () => {
    for (const { call } of fixtures) {
      for (const { feedback } of score(call).categories) assert.isAbove(feedback.length, 10)
    }
  })

  it("rests on quotes that stand word by word in the turn they name", () => {
    for (const { call, label } of fixtures) {
      const scored = score(call)
      assert.isTrue(isVerbatim(call, scored))
      if (label === "good") {
        for (const { category, evidence } of scored.categories) {
          if (category !== "clarity") assert.isAbove(evidence.length, 1, category)
        }
      }
    }
    FastCheck.assert(
      FastCheck.property(transcripts, (transcript) => {
        const scored = score({ transcript })
        return isVerbatim({ transcript }, scored) && scored.overall >= 0 && scored.overall <= 10
      }),
      { numRuns: 100 }
    )
  })

  it("is the same every time", () => {
    FastCheck.assert(
      FastCheck.property(transcripts, (transcript) => {
        const first = JSON.stringify([score({ transcript }), analyze({ transcript })])
        return first === JSON.stringify([score({ transcript: structuredClone(transcript) }), analyze({ transcript })])
      }),
      { numRuns: 50 }
    )
  })

  it("does not care which apostrophe is used", () => {
    const curly = {
      transcript: fixtures[0]!.call.transcript.map((turn) => ({ ...turn, text: turn.text.replaceAll("'", "’") }))
    }
    assert.strictEqual(score(curly).overall, score(fixtures[0]!.call).overall)
    assert.isTrue(isVerbatim(curly, score(curly)))
  })

  const megabyte = 1 << 20
  const hostile: ReadonlyArray<string> = [
    "a",
    ".",
    "😀",
    "a'",
    ", ",
    "a. ",
    "um ",
    "do you have ",
    "let me send the a "
  ]
  for (const text of hostile) {
    // A quadratic rule would take hours over a megabyte.
    it(`takes time in proportion to a megabyte of ${JSON.stringify(text)}`, { timeout: 60_000 }, () => {
      const long = text.repeat(Math.ceil(megabyte / text.length))
      const half = long.slice(0, megabyte / 2)
      const transcript: ReadonlyArray<Turn> = [
        { role: "user", text: half },
        { role: "agent", text: half }
      ]
      const { analytics, score } = review({ transcript })
      assert.isTrue(score.overall <= 4 && isVerbatim({ transcript }, score))
      assert.lengthOf(Object.keys(analytics), 13)
    })
  }
})

describe("the rubric", () => {
  it("has merits that make 10 points in each category, and a distinct name for each signal", () => {
    for (const { category, signals } of rubric) {
      const merits = signals.map(({ points }) => points).filter((points) => points > 0)
      assert.closeTo(
        merits.reduce((sum, points) => sum + points, 0),
        10,
        1e-9,
        category
      )
    }
    const names = rubric.flatMap(({ signals }) => signals.map(({ name }) => name as string))
    assert.strictEqual(new Set(names).size, names.length)
  })

  it("has no signal that never shows in the fixtures", () => {
    const seen = fixtures.flatMap(({ call }) => assess(call).findings.flatMap(({ findings }) => findings))
    for (const { name } of rubric.flatMap(({ signals }): ReadonlyArray<{ readonly name: string }> => signals)) {
      const shares = seen.filter(({ signal }) => signal.name === name).map(({ share }) => share)
      assert.isTrue(name === "stackedQuestions" || shares.some((share) => share > 0.3), `${name} never shows`)
    }
  })

  it("takes points away for three questions in one breath", () => {
    const stacked = assess({
      transcript: turns(`
        R: Hi Ann, Joe from Acme. How do you bake today? Who does the dough? What goes wrong most often?
        P: Well, we start at three in the morning.
      `)
    })
    const finding = stacked.findings[1]!.findings.find(({ signal }) => signal.name === "stackedQuestions")
    assert.strictEqual(finding?.share, 1)
    assert.lengthOf(finding?.evidence ?? [], 3)
  })
})
