import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { open, personalities, respond } from "../../../../src/dialdrill/calls/prospect/Prospect.js"
import { all } from "../../../../src/dialdrill/calls/prospect/personalities/index.js"
import { State } from "../../../../src/dialdrill/calls/prospect/State.js"
import { ids, repliesOf, script, sentencesOf, skilled, talk } from "./callers.js"

const seeds = Array.from({ length: 40 }, (_, seed) => seed)

const monologue = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ")

const decode = Schema.decodeUnknownSync(State)

const throughJson = (state: State): State => decode(JSON.parse(JSON.stringify(state)))

describe("the list of personalities", () => {
  it("shows each with what the practice page needs, and no secret", () => {
    assert.isAtLeast(personalities.length, 3)
    for (const profile of personalities) {
      assert.deepStrictEqual(Object.keys(profile).sort(), [
        "company",
        "description",
        "difficulty",
        "id",
        "name",
        "title"
      ])
    }
    assert.strictEqual(new Set(personalities.map(({ id }) => id)).size, personalities.length)
  })

  it("answers an id that it does not know with the first personality", () => {
    assert.strictEqual(open("nobody", 1)[1].personality, personalities[0]!.id)
  })
})

describe.each(ids)("a call with %s", (id) => {
  const who = all.find((one) => one.id === id)!

  it("earns a next step when it is led well, whatever the seed", () => {
    for (const seed of seeds) {
      const call = talk(id, seed, skilled)
      assert.strictEqual(call.state.outcome, "agreed", `seed ${seed}: ${JSON.stringify(call.turns.at(-1))}`)
      assert.isAtMost(call.turns.length, 30)
    }
  })

  it("names the day when it agrees", () => {
    const call = talk(id, 5, skilled)
    assert.include(call.turns.at(-1)!.reply, "Thursday at 10 am")
  })

  it("refuses a next step that has not been earned, and hangs up on the pusher", () => {
    for (const seed of seeds) {
      const call = talk(
        id,
        seed,
        script([
          "Hello, this is Tom from Acme.",
          "Can we book a demo on Monday at 9 am?",
          "Could we schedule a meeting for Tuesday, would that work?",
          "Let's put a call in the calendar for Friday at noon.",
          "I suggest we set up a short session next Wednesday.",
          "So, shall we meet on the 14th at 3 pm?",
          "How about a quick pilot that begins tomorrow?",
          "Let's find a slot on Saturday, any hour that you like.",
          "Would you be available on Sunday evening?",
          "Then let's arrange a walkthrough for March 3."
        ])
      )
      assert.notStrictEqual(call.state.outcome, "agreed", `seed ${seed}`)
      assert.strictEqual(call.state.outcome, "hung-up", `seed ${seed}`)
    }
  })

  it("ends at once on a monologue", () => {
    const { reply, ended, state } = respond(open(id, 3)[1], monologue)
    assert.isTrue(ended)
    assert.strictEqual(state.outcome, "hung-up")
    assert.include(who.lines.leavesMonologue, reply)
  })

  it("interrupts a long turn before it ends the call over one", () => {
    const long = monologue.split(" ").slice(0, who.temperament.monologue.annoys).join(" ")
    const { reply, ended } = respond(open(id, 3)[1], long)
    assert.isFalse(ended)
    assert.isTrue(who.lines.interrupt.some((line) => sentencesOf(reply)[0]!.startsWith(line.slice(0, 4))))
  })

  it("keeps its facts to itself while nobody asks", () => {
    const facts = Object.values(who.facts).flatMap(({ told }) => told)
    for (const seed of seeds) {
      const call = talk(
        id,
        seed,
        script([
          "Hi, this is Tom from Acme.",
          "We make software that helps companies like yours.",
          "It saves everybody a lot of effort, and our customers are happy.",
          "It is easy, it is modern, and it never breaks.",
          "People everywhere have begun to use it since spring.",
          "There is also a mobile version with colours."
        ])
      )
      assert.deepStrictEqual(call.state.memory.learned, [])
      for (const reply of repliesOf(call)) for (const fact of facts) assert.notInclude(reply, fact)
    }
  })

  it("meets a price with the price objection before it has seen any value", () => {
    const priced = who.objections.filter(({ fits }) => fits.includes("price"))
    for (const seed of seeds) {
      const { reply, state } = respond(open(id, seed)[1], "It costs $500 a month per team.")
      const raised = priced.find((objection) => objection.id === state.memory.open?.id)
      assert.isDefined(raised, `seed ${seed}: ${reply}`)
      assert.isTrue(
        raised!.raise.some((line) => line.replace("{number}", "$500") === reply),
        reply
      )
    }
  })

  it("does not object to a price once it has seen the value", () => {
    const first = talk(id, 8, (state, turn) => (state.memory.value > 0 ? undefined : skilled(state, turn))).state
    const { state } = respond(
      { ...first, memory: { ...first.memory, open: null, pending: null } },
      "For all of that we charge $490 a month."
    )
    const priced = who.objections.filter(({ fits }) => fits.includes("price")).map((objection) => objection.id)
    assert.notInclude(priced, state.memory.open?.id)
  })

  it("has twelve objections, and each of them comes up in some call", () => {
    assert.strictEqual(who.objections.length, 12)
    const callers = [
      script(["Hi, this is Tom from Acme. Is this a bad time?", "It costs 900 dollars a year."]),
      script([
        "Hello, this is Ann from Zeta.",
        "We help companies to save time on a lot of things they do.",
        "So what?"
      ]),
      script(["We are better than Globex.", "Unlike Initech we do it all, in every way."]),
      (_: unknown, turn: number) => `Okay ${turn}, very well.`,
      skilled
    ]
    const raised = new Set<string>()
    for (let seed = 0; seed < 400 && raised.size < 12; seed++) {
      const call = talk(id, seed, callers[seed % callers.length]!)
      for (const objection of call.state.memory.raised) raised.add(objection)
    }
    assert.deepStrictEqual([...raised].sort(), who.objections.map((objection) => objection.id).sort())
  })

  it("softens when an objection is handled in four steps, and hardens when it is ignored", () => {
    for (const seed of seeds) {
      const { state: objecting } = respond(open(id, seed)[1], "It costs $500 a month per team.")
      const handled = [
        "I understand, money is always tight.",
        "What would it have to return so that the price is worth it?",
        "It pays for itself within a month, because you save the hours that cost you most.",
        "Does that make sense?"
      ].reduce((state, said) => respond(state, said).state, objecting)
      const ignored = [
        "Our logo is blue and our office is on the ninth floor.",
        "The company was founded by three friends in a garage.",
        "There are also very nice mugs."
      ].reduce((state, said) => respond(state, said).state, objecting)
      const challenge = objecting.memory.open!.id
      assert.include(handled.memory.settled, challenge)
      assert.isAbove(handled.mood.trust, objecting.mood.trust + 8)
      assert.isAbove(handled.mood.interest, objecting.mood.interest + 8)
      assert.notInclude(ignored.memory.settled, challenge)
      assert.isBelow(ignored.mood.trust, objecting.mood.trust - 8)
      assert.isBelow(ignored.mood.patience, objecting.mood.patience - 8)
    }
  })

  it("comes back to an objection that was passed over when a next step is proposed", () => {
    const { state: objecting } = respond(open(id, 4)[1], "It costs $500 a month per team.")
    const dropped = ["Our logo is blue.", "Our office is on the ninth floor."].reduce(
      (state, said) => respond(state, said).state,
      objecting
    )
    assert.deepStrictEqual(dropped.memory.dropped, [objecting.memory.open!.id])
    const { reply, state } = respond(dropped, "Can we book a demo on Monday at 9 am?")
    assert.strictEqual(state.memory.open?.id, objecting.memory.open!.id)
    assert.include(reply, who.objections.find((one) => one.id === objecting.memory.open!.id)!.concern)
  })

  it("never agrees while an objection is open, however good the rest of the call was", () => {
    for (const seed of seeds) {
      const led = talk(id, seed, (state, turn) => {
        const said = skilled(state, turn)
        return said.includes("Thursday") ? undefined : said
      }).state
      const { memory, ...rest } = led
      const objecting: State = {
        ...rest,
        mood: { patience: 100, trust: 100, interest: 100 },
        memory: { ...memory, dropped: [who.objections.find(({ fits }) => fits.includes("price"))!.id] }
      }
      const call = [
        "Would you be open to a short demo on Thursday at 10 am?",
        "So can we book that meeting for Thursday?",
        "Let's set up the call, shall we?",
        "Then I suggest we put a session in the calendar.",
        "Are you free on Thursday or not?"
      ].reduce((state, said) => respond(state, said).state, objecting)
      assert.notStrictEqual(call.outcome, "agreed")
    }
  })

  it("hangs up on the second repetition", () => {
    const [, state] = open(id, 2)
    const said = "We have the very best product that you have ever seen anywhere."
    const first = respond(state, said)
    const second = respond(first.state, said)
    const third = respond(second.state, said.toUpperCase())
    assert.deepStrictEqual([first.ended, second.ended, third.ended], [false, false, true])
    assert.include(who.lines.repeat, second.reply)
    assert.include(who.lines.leavesRepetition, third.reply)
  })

  it("warns a rude caller once, and an abusive one not at all", () => {
    const rude = respond(open(id, 2)[1], "That's stupid.")
    assert.isFalse(rude.ended)
    assert.isBelow(rude.state.mood.trust, who.temperament.start.trust - 10)
    assert.isTrue(respond(rude.state, "Oh shut up and listen.").ended)
    assert.isTrue(respond(open(id, 2)[1], "You idiot.").ended)
  })

  it("gives up on a dead line after three silent turns", () => {
    const call = talk(id, 2, script(["", "...", "\u{1F910}", "hello?"]))
    assert.strictEqual(call.turns.length, 3)
    assert.strictEqual(call.state.outcome, "hung-up")
  })

  it("parts politely when the caller says goodbye", () => {
    const { ended, state } = respond(open(id, 2)[1], "I'll let you go, have a great day.")
    assert.isTrue(ended)
    assert.strictEqual(state.outcome, "parted")
  })

  it("speaks no sentence twice in a call", () => {
    const callers = [
      skilled,
      (_: State, turn: number) => `Tell me something about topic ${turn * 7919}, what about thing ${turn * 104729}?`,
      (_: State, turn: number) =>
        `Our feature ${turn * 7919} saves you ${turn + 2} hours, and item ${turn * 31} is new.`,
      (_: State, turn: number) =>
        turn % 2 ? `What is your budget in case ${turn * 977}?` : `Who decides on ${turn * 31}?`,
      (_: State, turn: number) => `Okay ${turn}.`
    ]
    for (const seed of seeds) {
      for (const caller of callers) {
        const sentences = repliesOf(talk(id, seed, caller)).flatMap(sentencesOf)
        assert.strictEqual(new Set(sentences).size, sentences.length, `seed ${seed}: ${sentences.join("|")}`)
      }
    }
  })

  it("has no sentence in two places, so that none can be spoken twice", () => {
    const lines = [
      ...Object.values(who.lines).flat(),
      ...Object.values(who.facts).flatMap(({ told, brief }) => [...told, ...brief]),
      ...who.objections.flatMap(({ raise, explain, insist, settle }) => [...raise, ...explain, ...insist, ...settle]),
      ...who.curiosities.flatMap(({ ask, heard }) => [ask, heard])
    ].flatMap(sentencesOf)
    const twice = lines.filter((line, index) => lines.indexOf(line) !== index)
    assert.deepStrictEqual(twice, [])
  })

  it("comes to an end, whoever calls", () => {
    const call = talk(id, 1, (_, turn) => `Okay then ${turn}, very well number ${turn * 7919}, go on.`)
    assert.isNotNull(call.state.outcome)
    assert.isAtMost(call.turns.length, 60)
  })

  it("gives the same call for the same seed and words, and other calls for other seeds", () => {
    const replies = (seed: number): string => repliesOf(talk(id, seed, skilled)).join("\n")
    for (const seed of seeds.slice(0, 10)) assert.strictEqual(replies(seed), replies(seed))
    assert.isAtLeast(new Set(seeds.map(replies)).size, seeds.length - 1)
  })

  it("survives a JSON round trip between every turn", () => {
    for (const seed of seeds.slice(0, 20)) {
      const stored = talk(id, seed, skilled, throughJson)
      assert.deepStrictEqual(repliesOf(stored), repliesOf(talk(id, seed, skilled)))
      assert.deepStrictEqual(throughJson(stored.state), stored.state)
      assert.isBelow(JSON.stringify(stored.state).length, 12_000)
    }
  })

  it("stays silent after the call, and says so", () => {
    const { state } = respond(open(id, 3)[1], monologue)
    const after = respond(state, "Hello? Are you there?")
    assert.deepStrictEqual(after, { reply: `[${who.name} has hung up.]`, ended: true, state })
  })
})

describe("what the prospect takes up", () => {
  it("echoes the competitor that the caller names", () => {
    for (const seed of seeds) {
      assert.include(respond(open("daniel", seed)[1], "Have you looked at HubSpot before?").reply, "HubSpot")
      assert.include(respond(open("maya", seed)[1], "We are cheaper than Globex by far.").reply, "Globex")
    }
  })

  it("echoes the caller's name or company, and a buzzword", () => {
    const replies = seeds.map((seed) => respond(open("maya", seed)[1], "Hi, this is Tom from Acme.").reply)
    assert.isTrue(replies.some((reply) => reply.includes("Tom")))
    const buzz = seeds.map(
      (seed) => respond(open("walt", seed)[1], "This is an end-to-end paradigm that saves you time.").reply
    )
    assert.isTrue(buzz.some((reply) => reply.includes("end-to-end")))
  })

  it("asks for a day when the next step has none, and agrees to the day that comes", () => {
    const ready = talk("maya", 1, (state, turn) => {
      const said = skilled(state, turn)
      return said.includes("Thursday") ? undefined : said
    }).state
    const { reply, state, ended } = respond(
      { ...ready, memory: { ...ready.memory, settled: ["too-expensive"] } },
      "Would you be open to a short demo?"
    )
    assert.isFalse(ended)
    assert.isTrue(state.memory.willing, reply)
    const agreed = respond(state, "Friday at 2 pm then.")
    assert.strictEqual(agreed.state.outcome, "agreed")
    assert.include(agreed.reply, "Friday at 2 pm")
  })

  it("answers an open question fully and a closed one shortly", () => {
    const facts = all[0].facts.tool
    assert.include(respond(open("maya", 1)[1], "How do you plan the visits today?").reply, facts.told[0]!)
    const closed = respond(open("maya", 1)[1], "Do you use software for that?")
    assert.include(closed.reply, facts.brief[0]!)
    assert.deepStrictEqual(closed.state.memory.learned, [])
  })

  it("keeps the budget back from a caller it does not trust", () => {
    const [, state] = open("daniel", 1)
    const wary = { ...state, memory: { ...state.memory, value: 1 } }
    const { state: after } = respond(wary, "What is your budget?")
    assert.deepStrictEqual(after.memory.learned, [])
    assert.deepStrictEqual(after.memory.asked, ["budget"])
  })
})

describe("an objection that is a question", () => {
  it("is answered by a name, by a place, and by asking for a better time", () => {
    const facing = (id: string, objection: string): State => {
      const [, state] = open(id, 1)
      const steps = { acknowledged: false, asked: false, answered: false, confirmed: false }
      return { ...state, memory: { ...state.memory, open: { id: objection, steps, ignored: 0 }, raised: [objection] } }
    }
    const stepsAfter = (state: State, said: string) => respond(state, said).state.memory.open!.steps
    assert.isTrue(stepsAfter(facing("victoria", "prove-it"), "Marlin Logistics in Rotterdam uses it.").answered)
    assert.isTrue(stepsAfter(facing("daniel", "security-review"), "It is stored in a certified center.").answered)
    assert.isTrue(stepsAfter(facing("victoria", "in-a-meeting"), "When would be a better time?").asked)
    assert.isFalse(stepsAfter(facing("victoria", "in-a-meeting"), "Our product is a revolution.").answered)
  })
})

describe("any text at all", () => {
  it("gets a reply, and a state that a JSON column can hold", () => {
    const text = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.string({ unit: "grapheme", maxLength: 300 }),
      FastCheck.constantFrom(
        "",
        "\0",
        "\ud800",
        "{caller}",
        "{when} {competitor}",
        "$& $1",
        "__proto__",
        "constructor"
      ),
      FastCheck.lorem({ maxCount: 40 })
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...ids),
        FastCheck.integer(),
        FastCheck.array(text, { maxLength: 12 }),
        (id, seed, texts) => {
          let state = open(id, seed)[1]
          for (const said of texts) {
            const response = respond(state, said)
            assert.isAbove(response.reply.length, 0)
            assert.notMatch(response.reply, /[{}]/)
            assert.deepStrictEqual(throughJson(response.state), response.state)
            assert.notMatch(JSON.stringify(response.state), /\\u0000|\\ud[89a-f]/)
            state = response.state
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it("costs no more than its first 4,000 characters, however hostile it is", () => {
    const hostile = [
      "a",
      "a ",
      "put a a a a ",
      "is this is this ",
      "$1,1,1,",
      "this is x from ",
      "do you have a a ",
      "? ",
      "i'll send a a a a ",
      "who else a a ",
      "\u0301",
      "\u{1F469}\u200D\u{1F4BB}",
      "than A",
      "sounds ",
      "!!!!. "
    ]
    for (const piece of hostile) {
      const text = piece.repeat(Math.ceil(100_000 / piece.length))
      // Measured 1-80 ms; the generous limit is for a loaded machine, a quadratic pattern would take minutes.
      const started = performance.now()
      respond(open("maya", 1)[1], text)
      assert.isBelow(performance.now() - started, 2_000, JSON.stringify(piece))
    }
  })
})
