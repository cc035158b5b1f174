import { assert, describe, it } from "@effect/vitest"
import { findObjections } from "../../../src/dialdrill/scoring/ObjectionFinder.js"
import { sentencesOf } from "../../../src/dialdrill/scoring/Transcript.js"
import { turns } from "./fixtures.js"

const find = (script: string) => findObjections(turns(script).map(sentencesOf))
const pitch = "R: We help companies like yours save hours of work every week."
const kindOf = (objection: string) => find(`${pitch}\nP: ${objection}`).map(({ kind }) => kind)

describe("objections", () => {
  const kinds: Readonly<Record<string, ReadonlyArray<string>>> = {
    price: [
      "That's too expensive.",
      "We don't have the budget for it.",
      "It's out of our price range.",
      "I can't afford that."
    ],
    timing: ["Now is not a good time.", "Call me back next quarter.", "I need to think about it.", "We're too busy."],
    competitor: ["We're happy with our current vendor.", "We already use HubSpot.", "Why should we switch?"],
    authority: ["I need to talk to my boss.", "It's not my decision.", "I'd have to ask Becky."],
    need: ["We don't need that.", "It's not a priority.", "My drivers won't like it.", "I don't see the point."],
    trust: ["I've never heard of you.", "We got burned last time.", "I'm skeptical.", "How do I know it works?"],
    "brush-off": ["I'm not interested.", "Just send me an email.", "No thanks.", "Is this a sales call?"]
  }
  for (const [kind, lines] of Object.entries(kinds)) {
    it(`of the kind ${kind} are recognised`, () => {
      for (const line of lines) assert.deepStrictEqual(kindOf(line), [kind], line)
    })
  }

  it("are not what a prospect says with interest, nor what the rep says", () => {
    for (const line of [
      "How much does it cost?",
      "That sounds interesting.",
      "Sure, go ahead.",
      "We have about forty people."
    ]) {
      assert.deepStrictEqual(kindOf(line), [], line)
    }
    assert.deepStrictEqual(find("R: I know it sounds too expensive.\nP: Go on."), [])
  })

  it("are not the answers to a question about the prospect's work", () => {
    assert.deepStrictEqual(
      find("R: Thanks for taking the call today. What tool do you use?\nP: We already use HubSpot."),
      []
    )
  })

  it("stay one while the rep asks about them, and get up to three turns as their reply", () => {
    const found = find(`
      ${pitch}
      P: It's too expensive.
      R: I hear you. Compared to what?
      P: We don't have the budget, it was cut.
      R: Then let us start small.
      P: Hm.
      R: Would ten seats help?
      P: Maybe.
      R: Good.
    `)
    assert.lengthOf(found, 1)
    assert.strictEqual(found[0]?.raised.text, "It's too expensive.")
    assert.deepStrictEqual(
      found[0]?.reply.map(({ turn }) => turn),
      [2, 2, 4, 6]
    )
  })

  it('are not raised anew by what the prospect says to "does that help?"', () => {
    const found = find(`
      ${pitch}
      P: I'm worried about security.
      R: I understand. What worries you most?
      P: Where the data lives.
      R: It lives in your own building, and each access is logged. Does that help?
      P: It does, our security people will have a look, and then we don't need more.
    `)
    assert.deepStrictEqual(
      found.map(({ kind }) => kind),
      ["trust"]
    )
  })

  it("end the reply to the one before", () => {
    const found = find(`${pitch}\nP: Too expensive.\nR: It is worth it.\nP: I'm not interested.\nR: Fine.`)
    assert.deepStrictEqual(
      found.map(({ kind, reply }) => [kind, reply.map(({ text }) => text)]),
      [
        ["price", ["It is worth it."]],
        ["brush-off", ["Fine."]]
      ]
    )
  })
})
