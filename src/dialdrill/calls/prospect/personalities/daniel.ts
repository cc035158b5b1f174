/**
 * Daniel Krause: precise, dry, burned before. He tests claims, wants numbers, and respects whoever admits a limit.
 *
 * @since 0.1.0
 */
import type { Personality } from "../Personality.js"

/**
 * The skeptical head of revenue operations.
 *
 * @since 0.1.0
 * @category personalities
 */
export const daniel: Personality = {
  id: "daniel",
  name: "Daniel Krause",
  title: "Head of Revenue Operations",
  company: "Northgate Industrial Supply",
  description:
    "Skeptical and exact. He has been sold a tool that failed and wants proof for every claim. Earn trust with good questions, numbers and honest answers.",
  difficulty: "medium",
  temperament: {
    start: { patience: 65, trust: 25, interest: 28 },
    warmth: 1.1,
    harshness: 1,
    drain: 1,
    monologue: { annoys: 90, ends: 150 },
    guard: 0.6,
    appetite: 5
  },
  bar: { facts: 3, value: 4, settled: 2, trust: 50, interest: 50 },
  tools: ["Relatia"],
  pain: [
    "forecast",
    "data",
    "record",
    "update",
    "pipeline",
    "accura",
    "report",
    "enter",
    "entry",
    "stale",
    "rep",
    "log"
  ],
  facts: {
    team: {
      trust: 0,
      told: [
        "Sixty-two field reps in four regions, plus my team of five.",
        "The five are two analysts, two administrators, and an intern who knows more than the rest of us."
      ],
      brief: ["Roughly in that range."]
    },
    tool: {
      trust: 15,
      told: [
        "Relatia for the pipeline, Power BI on top, and a shadow spreadsheet in every region that nobody admits to.",
        "The Relatia contract is in its third year, and adoption is at forty-one percent by my own count."
      ],
      brief: ["We have a system in place."]
    },
    pain: {
      trust: 25,
      told: [
        "Stale records. Reps update their deals on the last Friday of the month, from memory, in a car park.",
        "I present a forecast to the board that I would not bet my own lunch on."
      ],
      brief: ["Every company has some."]
    },
    impact: {
      trust: 35,
      told: [
        "Last quarter the forecast was off by nineteen percent, which left us with two million in stock that we didn't need.",
        "My analysts spend three days of every month cleaning up what the field typed in."
      ],
      brief: ["More than I'd like."]
    },
    goal: {
      trust: 30,
      told: [
        "A forecast within five percent, without anybody in my team working a weekend.",
        "I'd call it a success when the regional managers stop keeping their own spreadsheets."
      ],
      brief: ["In principle, yes."]
    },
    budget: {
      trust: 42,
      told: [
        "There are thirty thousand a year in the plan for data quality, and not all of it is spent.",
        "Anything beyond that would have to replace something, line by line."
      ],
      brief: ["There is a number, and it has an owner."]
    },
    decision: {
      trust: 35,
      told: [
        "I write the recommendation, security reviews it, and our CFO, Annette, signs.",
        "Annette reads exactly one page, so the case has to fit on it."
      ],
      brief: ["It isn't a one-man show here."]
    },
    timing: {
      trust: 30,
      told: [
        "The Relatia renewal comes up in October, so the evaluation has to be done in September.",
        "If we miss that window we are locked in for another twelve months."
      ],
      brief: ["There is a date in the background."]
    }
  },
  objections: [
    {
      id: "how-did-you-get-this-number",
      theme: "need",
      concern: "why you are calling me of all people",
      fits: ["opening"],
      raise: ["Before we go on: where did you get my number, and why me?"],
      explain: ["I ask because nine out of ten callers read my title off a list and know nothing else."],
      insist: ["You have skipped the question of why you picked me."],
      settle: ["Fine, at least there was some thought behind the call."]
    },
    {
      id: "not-interested",
      theme: "need",
      concern: "whether there is anything in it for us",
      fits: ["opening", "pitch"],
      raise: ["I'll save us both some time, I'm not looking for anything at the moment."],
      explain: ["What I mean is that I don't buy tools in order to have tools, there has to be a measured problem."],
      insist: ["That doesn't change the fact that I wasn't looking."],
      settle: ["All right, that is a better reason than most people give me."]
    },
    {
      id: "burned-before",
      theme: "trust",
      concern: "that we have been burned by a vendor before",
      fits: ["pitch", "lull", "questions"],
      raise: [
        "I've heard this before, we bought a promise like that two years ago and wrote it off after nine months."
      ],
      explain: ["The demo ran on clean data, ours never was, and the day we found out was the day after signing."],
      insist: ["You are asking me to believe again what I already paid for once."],
      settle: ["A way out that is written down, I can work with that."]
    },
    {
      id: "price-too-high",
      theme: "price",
      concern: "what it costs against what it returns",
      fits: ["price", "nextStep"],
      raise: [
        "{number} is a figure without a denominator, against what return?",
        "Price before proof is the wrong order for me."
      ],
      explain: ["I need to show Annette that it pays back within a year, in money, not in 'engagement'."],
      insist: ["I asked about the return, and I have not heard a return."],
      settle: ["As a calculation that holds, I would only change one of the inputs."]
    },
    {
      id: "we-have-relatia",
      theme: "incumbent",
      concern: "what we already pay Relatia for",
      fits: ["competitor", "pitch"],
      raise: [
        "If the comparison is with {competitor}, tell me what you do that it does not.",
        "We already pay for a system that is supposed to do this."
      ],
      explain: ["On paper Relatia does all of it, in practice the reps skip eleven of fourteen fields."],
      insist: ["I still see two systems doing one job."],
      settle: ["So it sits next to Relatia and doesn't fight it, that is new."]
    },
    {
      id: "build-it-ourselves",
      theme: "need",
      concern: "whether we couldn't build it ourselves",
      fits: ["pitch", "competitor", "questions"],
      raise: ["My analysts could build something like that in a month."],
      explain: ["They would enjoy it, and yes, I know who would maintain it afterwards."],
      insist: ["You have not told me why I shouldn't simply build it."],
      settle: ["Maintenance is a fair point, we've buried two of our own tools for that reason."]
    },
    {
      id: "show-me-numbers",
      theme: "trust",
      concern: "evidence that is not a slide",
      fits: ["pitch", "lull", "nextStep"],
      raise: ["That is a claim, so what is the evidence?"],
      explain: ["A customer of our size, before and after, measured by them and not by you."],
      insist: ["Adjectives are not evidence."],
      settle: ["That one I can check, which is all I wanted."]
    },
    {
      id: "security-review",
      theme: "security",
      concern: "the security review",
      fits: ["questions", "nextStep", "pitch"],
      raise: ["Our security people reject three tools out of four, so where does the data live?"],
      explain: ["They want to know who can read customer prices, and how they would find out if somebody did."],
      insist: ["Without an answer on security there is no point in going on."],
      settle: ["Good, with that our security people will at least open the file."]
    },
    {
      id: "reps-wont-change",
      theme: "effort",
      concern: "getting sixty-two reps to change a habit",
      fits: ["lull", "pitch", "questions"],
      raise: ["No tool survives contact with my field reps, they ignore everything that has a login."],
      explain: ["They are paid on closed deals and nothing else, every field we add is unpaid work to them."],
      insist: ["The reps still have no reason to use it, as far as I can hear."],
      settle: ["If it takes work off them and not just off me, it has a chance."]
    },
    {
      id: "integration-effort",
      theme: "effort",
      concern: "the effort of connecting it",
      fits: ["nextStep", "lull", "questions"],
      raise: ["Every integration I was told would take two weeks took two quarters."],
      explain: ["It was always the custom fields, we have about two hundred and no one remembers why."],
      insist: ["I have yet to hear what the integration takes on our side."],
      settle: ["A scope like that I could actually plan."]
    },
    {
      id: "cfo-decides",
      theme: "authority",
      concern: "how Annette would see it",
      fits: ["nextStep"],
      raise: ["I can't commit to anything, Annette has frozen new vendors until she sees a case."],
      explain: ["She will ask what we switch off in exchange, it's always her first question."],
      insist: ["You cannot get around our CFO, and neither can I."],
      settle: ["A one-page case for Annette, yes, that is how it would have to go."]
    },
    {
      id: "send-documentation",
      theme: "email",
      concern: "getting the documentation first",
      fits: ["nextStep", "opening"],
      raise: ["Send me the technical documentation and I'll come back to you if it holds up."],
      explain: ["I would look at the data model and at the limits page, if there is one."],
      insist: ["Documentation first is not an unusual request."],
      settle: ["Reading it together with someone who knows it is quicker, I'll give you that."]
    }
  ],
  curiosities: [
    {
      ask: "What is the smallest pilot that would prove anything?",
      heard: "That is small enough to fail cheaply, I like that."
    },
    { ask: "How do you measure accuracy, exactly?", heard: "A definition, finally." },
    { ask: "Where has it not worked?", heard: "I appreciate that you didn't claim it always works." },
    { ask: "What do you need from our side?", heard: "Manageable, on the face of it." },
    { ask: "Who of your customers could I speak to?", heard: "I will take you up on that." },
    { ask: "What happens to our data if we leave?", heard: "Then we would not be hostages, good." }
  ],
  lines: {
    greeting: [
      "Krause.",
      "Daniel Krause, Northgate.",
      "Northgate Industrial Supply, Krause speaking.",
      "Yes, Krause here."
    ],
    welcome: [
      "{caller}, all right, what is this about?",
      "{from} doesn't ring a bell, so what do you do?",
      "Good morning. What do you want to sell me?",
      "I don't believe we've spoken before, what is it?"
    ],
    granted: [
      "You have three minutes, {caller}, and the clock is running.",
      "It's not a good time, but it never is, so go on.",
      "I appreciate the question. What is it about?",
      "Briefly, yes."
    ],
    grudging: ["You're already using the time you're asking for.", "Make it short."],
    smallTalk: [
      "Fine, thank you, but I assume you didn't call about my health.",
      "Busy. And you?",
      "As well as one can be at the end of a month."
    ],
    guarded: [
      "I don't discuss {topic} with people I have known for two minutes.",
      "That is internal for now.",
      "What would you do with information about {topic}?",
      "You'd have to give me a reason to answer that."
    ],
    again: [
      "I have answered the question about {topic}.",
      "See above, as we'd say in a report.",
      "My answer has not changed in the last two minutes.",
      "You should have a note on {topic} by now."
    ],
    deflect: [
      "I'd need the question to be more precise.",
      "I have no data on that.",
      "Possibly. It depends on what you count.",
      "That's a question I would have to hand to my analysts.",
      "I can't say, and I don't guess."
    ],
    manyQuestions: [
      "That was a questionnaire, I'll take the last item.",
      "Pick one. I'll pick for you.",
      "Several questions, one answer."
    ],
    interrogated: [
      "You're collecting, but you're not giving anything, so what do you offer?",
      "I've been answering for a while, what is your point?",
      "Your turn to put something on the table."
    ],
    unasked: [
      "You are describing a solution and you have not asked for the problem.",
      "None of this is about us.",
      "I notice that you've not asked me a single thing in a while."
    ],
    fairPrice: [
      "{number} against a nineteen percent error, the arithmetic is not absurd.",
      "At {number} it would fit the plan, if it does what you say.",
      "The price is not the problem, the proof is.",
      "Noted, I've seen worse."
    ],
    competitor: [
      "{competitor} has been here twice, with slides.",
      "I know {competitor}, and I know what it does not do.",
      "Everybody mentions {competitor} sooner or later."
    ],
    tied: [
      "Now you're talking about our actual problem.",
      "If that figure survives contact with our records, it's worth a look.",
      "Correct, that is where it breaks.",
      "That would address the cause and not the symptom, for a change."
    ],
    pitched: [
      "'{buzzword}' is a word I hear four times a week, what does it mean here?",
      "That is an assertion.",
      "According to whom?",
      "I would want to see that on our data.",
      "General benefits don't tell me much."
    ],
    yourTurn: [
      "I've described the problem, what's your answer to it?",
      "You have the details, so respond to them.",
      "That is all there is to know about it, your move."
    ],
    goOn: ["Noted, but understanding is not yet an answer.", "Yes, and?", "I'm glad we agree on the problem."],
    halfway: [
      "That's half an answer, it's the better half, though.",
      "Plausible. I'm not convinced, but plausible.",
      "I can follow the logic so far.",
      "Go one step further and we may agree."
    ],
    dropped: [
      "You've decided to ignore {concern}, and I'll make a note of that.",
      "Good, then {concern} stays an open issue.",
      "I see that I won't get an answer on {concern}, so what else?"
    ],
    reopen: [
      "There is an open item: {concern}.",
      "We are not done with {concern}, and I don't schedule around open issues.",
      "You've left out {concern}."
    ],
    dodged: [
      "That was not an answer to my question.",
      "I asked first.",
      "You've stepped around what I wanted to know."
    ],
    interrupt: [
      "Stop. One claim at a time, please.",
      "I stopped following about a minute ago, what's the core of it?",
      "That was long, {caller}, give me one sentence."
    ],
    repeat: ["That is word for word what you said before.", "Repetition doesn't make it truer."],
    rude: ["Choose your next words with more care.", "I don't have to have this conversation."],
    silence: ["Are you there?", "I hear nothing.", "Your line is silent."],
    foreign: ["English, please.", "I'm afraid I cannot follow that language."],
    thanks: ["Don't mention it.", "Certainly.", "You may thank me when it works."],
    askDay: [
      "I'd agree to that, give me a date and a time.",
      "In principle yes, which day?",
      "My calendar wants a day, not an intention."
    ],
    agree: [
      "{when}, then, I'll bring one analyst and a messy extract of our records.",
      "Agreed, {when}, and I expect the {promise} before that.",
      "{when} is possible, {caller}, thirty minutes, on our data and not on yours.",
      "Put me down for {when}, you've asked better questions than most."
    ],
    refuseDiscovery: [
      "You don't know enough about us to know what to show me.",
      "A demo of what, for which problem?",
      "No. You've skipped the part where you find out whether it fits."
    ],
    refuseValue: [
      "I have not heard anything yet that is worth thirty minutes of my team.",
      "What would be different afterwards, in numbers?",
      "The case is too thin for a meeting."
    ],
    refuseTrust: [
      "I'm not at the point where I'd put my name on a meeting.",
      "Too early, I don't trust it yet.",
      "Convince me first that you'd tell me when it doesn't fit."
    ],
    warm: [
      "That is reasonable.",
      "Good. Continue.",
      "I can verify that.",
      "That matches what I see here.",
      "A fair description.",
      "You've done this before, {caller}.",
      "I'd sign that sentence."
    ],
    cool: [
      "I'm listening.",
      "And the point is?",
      "Hm.",
      "That tells me nothing.",
      "Be specific.",
      "I remain unconvinced.",
      "Go on, if there's more."
    ],
    leavesMonologue: [
      "I have a rule about speeches, and this was one, good day.",
      "You've been talking to yourself for a while, so I'll leave you to it."
    ],
    leavesRepetition: [
      "We've reached the point of repetition, that's where I stop, goodbye.",
      "The same sentence a third time won't help, I'm ending this."
    ],
    leavesRude: ["This conversation is over.", "Nobody talks to me like this, goodbye."],
    leavesImpatient: [
      "I've given this more time than it earned, good day to you.",
      "There's a report waiting for me that is more interesting than this, goodbye then."
    ],
    leavesPushed: [
      "I've given you my reasons, and you keep asking, so it's a final no.",
      "Persistence is not an argument, goodbye to you."
    ],
    leavesVague: [
      "No date, no meeting, write to me when you have one.",
      "Then we leave it open, and open things don't happen here."
    ],
    leavesSilence: ["There is nobody there, I'm hanging up.", "A silent call, so be it."],
    leavesTime: [
      "My next meeting has started, we'll have to leave it there.",
      "Time is up, I have a forecast to repair."
    ],
    leavesKindly: ["Thank you, {caller}, that was more useful than I expected.", "A decent call, thank you, goodbye."],
    leavesCoolly: ["Goodbye.", "Good day."]
  }
}
