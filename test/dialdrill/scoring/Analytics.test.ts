import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { analyze, type Metric, type MetricName, metricNames } from "../../../src/dialdrill/scoring/Analytics.js"
import type { PracticeCall, Turn } from "../../../src/dialdrill/scoring/Transcript.js"
import { fixtures, turns } from "./fixtures.js"

const rep = (text: string, startSeconds?: number, endSeconds?: number): Turn =>
  timed("user", text, startSeconds, endSeconds)
const prospect = (text: string, startSeconds?: number, endSeconds?: number): Turn =>
  timed("agent", text, startSeconds, endSeconds)
const timed = (role: Turn["role"], text: string, startSeconds?: number, endSeconds?: number): Turn => ({
  role,
  text,
  startSeconds,
  endSeconds
})
const words = (count: number): string => Array.from({ length: count }, () => "word").join(" ")

const metric = (name: MetricName, transcript: ReadonlyArray<Turn>, durationSeconds?: number): string =>
  show(analyze({ transcript, durationSeconds })[name])
const show = ({ basis, unit, value }: Metric): string => `${value} ${unit}, ${basis}`

// 60 s: the rep speaks 0-10 and 21-31 (20 s, 50 words), the prospect 11-21.5 and 33-53 (30.5 s, 70 words).
const measured: ReadonlyArray<Turn> = [
  rep(words(20), 0, 10),
  prospect(words(30), 11, 21.5),
  rep(words(30), 21, 31),
  prospect(words(40), 33, 53)
]
const untimed = measured.map(({ role, text }): Turn => ({ role, text }))
const startsOnly = measured.map(({ role, startSeconds, text }): Turn => ({ role, text, startSeconds }))

describe("the figures of a call", () => {
  it("are thirteen, with fixed names", () => {
    assert.deepStrictEqual(metricNames, [
      "talkRatio",
      "pace",
      "fillers",
      "longestMonologue",
      "longestProspectStory",
      "questions",
      "interactivity",
      "patience",
      "interruptions",
      "silenceOverlap",
      "objections",
      "nextStep",
      "opening"
    ])
    assert.deepStrictEqual(Object.keys(analyze({ transcript: [] })), [...metricNames])
  })

  const table: ReadonlyArray<readonly [MetricName, measured: string, startsOnly: string, untimed: string]> = [
    // 20 of 50.5 s; starts: 20 words at 150 a minute are 8 s, 30 are 10 s (cut) and 12 s, 40 are 16 s; words: 50 of 120.
    ["talkRatio", "39.6 percent, measured", "43.5 percent, estimated", "41.7 percent, estimated"],
    // 50 words in 20 s; starts: in 11 s and 12 s until the prospect starts.
    ["pace", "150 words per minute, measured", "130 words per minute, estimated", "null words per minute, unavailable"],
    ["longestMonologue", "10 seconds, measured", "12 seconds, estimated", "12 seconds, estimated"],
    ["longestProspectStory", "20 seconds, measured", "16 seconds, estimated", "16 seconds, estimated"],
    // 3 switches in the stated minute.
    [
      "interactivity",
      "3 switches per minute, measured",
      "3 switches per minute, estimated",
      "3 switches per minute, estimated"
    ],
    // The rep answers once, half a second before the prospect ends.
    ["patience", "-0.5 seconds, measured", "null seconds, unavailable", "null seconds, unavailable"],
    ["interruptions", "1 count, measured", "null count, unavailable", "null count, unavailable"],
    // One voice: 0-10, 11-21, 21.5-31 and 33-53 are 49.5 of 60 s.
    ["silenceOverlap", "17.5 percent, measured", "null percent, unavailable", "null percent, unavailable"]
  ]
  for (const [name, withTimes, withStarts, withNone] of table) {
    it(`give ${name} by the clock, from starts alone, and from words alone`, () => {
      assert.strictEqual(metric(name, measured, 60), withTimes)
      assert.strictEqual(metric(name, startsOnly, 60), withStarts)
      assert.strictEqual(metric(name, untimed, 60), withNone)
    })
  }

  it("fill a missing end in at the speaker's own pace", () => {
    // 20 words in 20 s make 60 a minute, so the next 10 take 10 s.
    const mixed = [rep(words(20), 0, 20), prospect(words(5), 20, 22), rep(words(10), 22), prospect(words(5), 60, 62)]
    assert.strictEqual(metric("longestMonologue", mixed.slice(1)), "4 seconds, estimated")
    assert.strictEqual(metric("talkRatio", mixed), "88.2 percent, estimated")
  })

  it("have no timeline when a time is missing, not a number, negative, or ends before it starts", () => {
    for (const broken of [
      rep("so it is"),
      rep("so it is", Number.NaN, 3),
      rep("so it is", -1, 3),
      rep("so it is", 5, 3)
    ]) {
      assert.strictEqual(metric("pace", [...measured, broken]), "null words per minute, unavailable")
    }
  })

  it("take the end of the last turn for the length of the call when none is stated", () => {
    assert.strictEqual(metric("interactivity", measured), "3.4 switches per minute, measured")
    assert.strictEqual(metric("interactivity", untimed), "null switches per minute, unavailable")
  })

  it("let a monologue go on over short gaps and murmurs, and end it at silence and at real answers", () => {
    const over = [rep(words(10), 0, 10), rep(words(10), 10.9, 20), prospect("Mm-hm.", 20, 20.5), rep(words(5), 21, 30)]
    assert.strictEqual(metric("longestMonologue", over), "30 seconds, measured")
    assert.strictEqual(
      metric("longestMonologue", [rep(words(9), 0, 10), rep(words(9), 11, 20)]),
      "10 seconds, measured"
    )
    const answered = [rep(words(10), 0, 10), prospect("Ten people.", 10, 10.5), rep(words(9), 10.6, 20)]
    assert.strictEqual(metric("longestMonologue", answered), "10 seconds, measured")
    assert.strictEqual(
      metric("longestMonologue", [rep(words(25)), prospect("Uh-huh."), rep(words(25))]),
      "20 seconds, estimated"
    )
  })

  it("count as interruption a flagged turn or an overlap of 0.2 s, once each, and no murmur", () => {
    const flag = (interrupted: boolean): Turn => ({ ...prospect(words(8)), interrupted })
    assert.strictEqual(metric("interruptions", [flag(true), rep(words(3)), flag(false)]), "1 count, measured")
    assert.strictEqual(metric("interruptions", [flag(false), rep(words(3))]), "0 count, measured")
    const overlap = (start: number, text: string) => [prospect(words(8), 0, 5), rep(text, start, 9)]
    assert.strictEqual(metric("interruptions", overlap(4.8, words(9))), "1 count, measured")
    assert.strictEqual(metric("interruptions", overlap(4.9, words(9))), "0 count, measured")
    assert.strictEqual(metric("interruptions", overlap(3, "Mm-hm")), "0 count, measured")
    const both = [{ ...prospect(words(8), 0, 5), interrupted: true }, rep(words(9), 4, 9)]
    assert.strictEqual(metric("interruptions", both), "1 count, measured")
  })

  it("take the median of the pauses", () => {
    const pauses = [1, 2, 6].flatMap((gap, index) => [
      prospect(words(5), index * 20, index * 20 + 5),
      rep(words(5), index * 20 + 5 + gap, index * 20 + 15)
    ])
    assert.strictEqual(metric("patience", pauses), "2 seconds, measured")
    assert.strictEqual(metric("patience", pauses.slice(0, 4)), "1.5 seconds, measured")
  })

  it("count fillers in the rep's words only, and none where the word means something", () => {
    // um, you know, like, basically: 4 in 16 words.
    const text = "Um, we have, you know, a lot of, like, tools that basically run the whole show."
    assert.strictEqual(metric("fillers", [rep(text), prospect("Um, uh, um.")]), "25 per 100 words, estimated")
    const clean = "What kind of tools do you like? Do you know what I mean? We are well and right on time, so we go."
    assert.strictEqual(metric("fillers", [rep(clean)]), "0 per 100 words, estimated")
  })

  it("count the rep's questions, with and without the mark", () => {
    const asked = [
      rep("How are you? Tell me about your team. And what do you do next"),
      prospect("Why?"),
      rep("I see.")
    ]
    assert.strictEqual(metric("questions", asked), "3 count, estimated")
  })

  it("give the share of the objections that the rep got over, and nothing where none came up", () => {
    const won =
      "R: We help firms save a lot of time.\nP: It is too expensive.\nR: I understand. What do you compare it with?\nP: With doing nothing.\nR: It saves our customers about six hours a week, so it pays for itself."
    const lost = "P: I'm not interested.\nR: You're wrong about that, you have to see it."
    assert.strictEqual(metric("objections", turns(won)), "100 percent recovered, estimated")
    assert.strictEqual(metric("objections", turns(`${won}\n${lost}`)), "50 percent recovered, estimated")
    assert.strictEqual(
      metric("objections", turns("R: Hello.\nP: Nice to meet you.")),
      "null percent recovered, unavailable"
    )
  })

  it("count the parts of the next step at the end, and of the opening at the beginning", () => {
    assert.strictEqual(
      metric("nextStep", [rep("Could we meet on Tuesday? I'll send you an invite.")]),
      "3 of 3, estimated"
    )
    assert.strictEqual(metric("nextStep", [rep("Could we meet again?")]), "1 of 3, estimated")
    assert.strictEqual(
      metric("opening", [rep("Hi. I'm calling because we help bakers save flour.")]),
      "3 of 3, estimated"
    )
    assert.strictEqual(metric("opening", [rep("Hi."), prospect("Yes?"), rep("Printers!")]), "1 of 3, estimated")
    const late = [rep("Hi.", 0, 1), prospect(words(50), 1, 40), rep("I'm calling because we help you save.", 41, 45)]
    assert.strictEqual(metric("opening", late), "1 of 3, estimated")
  })

  it("claim no measurement without times, and are null exactly when unavailable", () => {
    for (const { call } of fixtures) {
      for (const { basis } of Object.values(analyze(call))) assert.notStrictEqual(basis, "measured")
    }
    for (const call of [{ transcript: [] }, { transcript: [rep("")] }] satisfies ReadonlyArray<PracticeCall>) {
      for (const { basis } of Object.values(analyze(call))) assert.strictEqual(basis, "unavailable")
    }
    const time = FastCheck.option(FastCheck.oneof(FastCheck.double(), FastCheck.nat(100)), { nil: undefined })
    const turn = FastCheck.record({
      role: FastCheck.constantFrom("user" as const, "agent" as const),
      text: FastCheck.oneof(
        FastCheck.fullUnicodeString(),
        FastCheck.constantFrom("um, well", "What do you do?", words(40))
      ),
      startSeconds: time,
      endSeconds: time,
      interrupted: FastCheck.option(FastCheck.boolean(), { nil: undefined })
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(turn, { maxLength: 12 }), time, (transcript, durationSeconds) =>
        Object.values(analyze({ transcript, durationSeconds })).every(
          ({ basis, value }) =>
            (value === null) === (basis === "unavailable") && (value === null || Number.isFinite(value))
        )
      ),
      { numRuns: 500 }
    )
  })
})
