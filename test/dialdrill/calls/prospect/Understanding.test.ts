import { assert, describe, it } from "@effect/vitest"
import { listen, repeats, type Act, type Topic } from "../../../../src/dialdrill/calls/prospect/Understanding.js"

const hear = (text: string) => listen(text, ["Relatia"])

describe("the acts of a turn", () => {
  const examples: ReadonlyArray<readonly [string, Act]> = [
    ["Hi Maya, how is it going?", "greeting"],
    ["Good morning!", "greeting"],
    ["My name is Tom and I'm with Acme.", "introduction"],
    ["This is Tom, calling from Acme.", "introduction"],
    ["Did I catch you at a bad time?", "permission"],
    ["Do you have two minutes?", "permission"],
    ["How are you today?", "smallTalk"],
    ["I completely understand.", "acknowledgement"],
    ["That’s a fair point.", "acknowledgement"],
    ["Does that make sense?", "confirmation"],
    ["So, does that help?", "confirmation"],
    ["How does that sound?", "confirmation"],
    ["You keep your system, because ours works alongside it.", "reasoning"],
    ["One of our customers went from ten hours to two.", "proof"],
    ["We save you ten hours a week.", "benefit"],
    ["It is $49 per seat.", "price"],
    ["The price is low.", "price"],
    ["We are better than Globex.", "competitor"],
    ["We are better than Relatia.", "competitor"],
    ["Do you know hubspot?", "competitor"],
    ["Could we schedule a short demo?", "proposal"],
    ["How about Tuesday at 10?", "proposal"],
    ["Let's set up a call.", "proposal"],
    ["Are you free on Friday?", "proposal"],
    ["You are being ridiculous.", "rude"],
    ["Thanks for your time, goodbye.", "goodbye"]
  ]
  it.each(examples)("%s is %s", (text, act) => {
    assert.isTrue(hear(text).acts.has(act))
  })

  const counterexamples: ReadonlyArray<readonly [string, Act]> = [
    ["How do you schedule the visits today?", "proposal"],
    ["What happens on a busy day?", "proposal"],
    ["We start with a pilot on your own data.", "proposal"],
    ["What does that cost you today?", "price"],
    ["What is your budget?", "price"],
    ["What is it about the work of changing over that worries you?", "confirmation"],
    ["How are you handling that today?", "smallTalk"],
    ["That sounds frustrating.", "rude"],
    ["How do you use Relatia?", "competitor"]
  ]
  it.each(counterexamples)("%s is not %s", (text, act) => {
    assert.isFalse(hear(text).acts.has(act))
  })
})

describe("questions", () => {
  const topics: ReadonlyArray<readonly [string, Topic, "open" | "specific" | "closed"]> = [
    ["How do you handle that today?", "tool", "open"],
    ["Do you use a CRM?", "tool", "closed"],
    ["What's the hardest part of your week?", "pain", "open"],
    ["Tell me about the biggest challenge.", "pain", "open"],
    ["How much time does that cost you?", "impact", "specific"],
    ["What happens when a visit is missed?", "impact", "specific"],
    ["If you had a magic wand, what would you change?", "goal", "open"],
    ["What budget have you set aside?", "budget", "open"],
    ["Who else is involved in the decision?", "decision", "specific"],
    ["When would you like to have this running?", "timing", "specific"],
    ["How many people are on your team?", "team", "specific"],
    ["how big is your team", "team", "specific"]
  ]
  it.each(topics)("%s is after %s, %s", (text, topic, kind) => {
    assert.deepStrictEqual(hear(text).questions, [{ topic, kind }])
  })

  it("do not include asking for leave or for assent", () => {
    assert.deepStrictEqual(hear("Is this a bad time? Does that make sense? How are you?").questions, [])
  })
})

describe("slots", () => {
  it("hold the names of caller and company", () => {
    assert.deepInclude(hear("Hi Maya, this is tom from acme.").slots, { caller: "Tom", from: "Acme" })
    assert.deepInclude(hear("My name is Anna-Lena Meyer, I'm calling from O'Neil.").slots, { caller: "Anna-Lena" })
  })

  it("hold a day with its time", () => {
    assert.strictEqual(hear("How about next tuesday at 3:30 pm?").slots.when, "next Tuesday at 3:30 pm")
    assert.strictEqual(hear("Would tomorrow work?").slots.when, "tomorrow")
    assert.strictEqual(hear("Say March 3rd?").slots.when, "March 3rd")
    assert.strictEqual(hear("The 14th at noon?").slots.when, "the 14th at noon")
    assert.isUndefined(hear("How do you do that today?").slots.when)
  })

  it("hold number, promise and competitor", () => {
    assert.strictEqual(hear("It costs $1,200 a year.").slots.number, "$1,200")
    assert.strictEqual(hear("We cut it by 20%.").slots.number, "20%")
    assert.strictEqual(hear("I'll send you a short case study.").slots.promise, "case study")
    assert.strictEqual(hear("Unlike Globex, we listen.").slots.competitor, "Globex")
    assert.isUndefined(hear("Better than Relatia!").slots.competitor)
  })

  it("hold nothing but short letters and digits of what a hostile caller says", () => {
    const { slots } = hear(`This is <script>alert(1)</script> from "><img>, my name is ${"x".repeat(500)}`)
    for (const value of Object.values(slots)) assert.match(value, /^[\p{L}\p{N}'$€£%&., :-]{1,60}$/u)
  })
})

describe("a turn as a whole", () => {
  it("is silence without letters, and foreign in another script", () => {
    assert.strictEqual(hear(" ?! ").kind, "silence")
    assert.strictEqual(hear("Здравствуйте, меня зовут Том").kind, "foreign")
    assert.strictEqual(hear("Grüß Gott").kind, "speech")
  })

  it("counts words, also where there are no spaces", () => {
    assert.strictEqual(hear("one two three").words, 3)
    assert.isAbove(hear("語".repeat(2400)).words, 190)
  })

  it("repeats another when four in five words are shared", () => {
    const { fingerprint } = hear("We have the best product in the world.")
    assert.isTrue(repeats(fingerprint, hear("we have the best product in the WORLD").fingerprint))
    assert.isFalse(repeats(fingerprint, hear("We have a product that the world likes.").fingerprint))
    assert.isFalse(repeats(hear("Yes.").fingerprint, hear("Yes.").fingerprint))
  })
})
